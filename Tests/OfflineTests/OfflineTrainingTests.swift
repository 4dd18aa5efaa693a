// Runs over a collection: epochs, checkpoints, resumption, and what stops one before it begins.

import Checkpoints
import ContrastiveClustering
import Datasets
import Offline
import XCTest

final class OfflineTrainingTests: XCTestCase {
    private func settings(epochs: Int = 2) -> OfflineSettings {
        OfflineSettings(
            model: ModelSettings(architecture: .resnet18, imageSize: 16, clusters: 2, featureDimension: 8),
            training: TrainingSettings(batchSize: 8, jitter: 0.5), epochs: epochs)
    }

    /// What a run told of itself.
    private final class Record {
        var losses: [Losses] = []
        var epochs: [(OfflineTraining.Progress, EvaluationReport?)] = []
        var checkpoints: [CheckpointRecord] = []
        var resumedAt: UInt64?
        var unreadable: [String] = []

        func observe(_ event: OfflineTraining.Event) {
            switch event {
            case .step(let progress): losses.append(progress.losses)
            case .epoch(let progress, let report): epochs.append((progress, report))
            case .checkpoint(let record): checkpoints.append(record)
            case .resumed(let record): resumedAt = record.step
            case .unreadable(let failure): unreadable.append(failure.id)
            default: break
            }
        }
    }

    private func run(
        _ settings: OfflineSettings, on collection: ImageCollection, in folder: String, steps: Int = .max
    ) throws -> (record: Record, outcome: OfflineTraining.Outcome) {
        let record = Record()
        let training = try OfflineTraining(
            settings, on: collection, store: CheckpointStore(directory: folder, keep: 1, onWarning: { _ in }),
            threads: 2,
            observe: record.observe, shouldStop: { record.losses.count >= steps })
        return (record, try training.run())
    }

    func testAStoppedRunGoesOnAsIfItHadNot() throws {
        let folder = try TemporaryFolder()
        let collection = try ImageCollection.withLabelsIfAny(opening: [folder.writeIDX("train", images: 27)])
        let (one, two) = (folder.path + "/one", folder.path + "/two")

        let straight = try run(settings(), on: collection, in: one)
        XCTAssertEqual(straight.outcome, .completed)
        XCTAssertEqual(straight.record.losses.count, 6)  // 27 images are three mini-batches of 8 an epoch
        XCTAssertEqual(straight.record.epochs.map(\.0.step), [3, 6])
        XCTAssertEqual(straight.record.checkpoints.map(\.step), [6])

        let stopped = try run(settings(), on: collection, in: two, steps: 2)
        XCTAssertEqual(stopped.outcome, .stopped)
        XCTAssertEqual(stopped.record.checkpoints.map(\.step), [2])
        let resumed = try run(settings(), on: collection, in: two)
        XCTAssertEqual(resumed.record.resumedAt, 2)
        XCTAssertEqual(stopped.record.losses + resumed.record.losses, straight.record.losses)
        XCTAssertEqual(resumed.record.checkpoints.map(\.sha256), straight.record.checkpoints.map(\.sha256))

        let scores = try XCTUnwrap(straight.record.epochs[1].1?.scores)
        XCTAssertEqual(scores.images, 27)
        XCTAssertEqual(straight.record.epochs[1].1, resumed.record.epochs[1].1)

        // A finished run has nothing left to do, and one with more epochs goes on.
        XCTAssertEqual(try run(settings(), on: collection, in: one).record.losses, [])
        XCTAssertEqual(try run(settings(epochs: 3), on: collection, in: one).record.losses.count, 3)
    }

    func testCheckpointsOfAnotherRunAreNotTaken() throws {
        let folder = try TemporaryFolder()
        let collection = try ImageCollection.withLabelsIfAny(opening: [folder.writeIDX("train", images: 8)])
        let out = folder.path + "/out"
        _ = try run(settings(epochs: 1), on: collection, in: out)

        var other = settings()
        other.training.seed = 7
        XCTAssertThrowsError(try run(other, on: collection, in: out)) { error in
            XCTAssertEqual("\(error)".contains("train.seed is 7, the checkpoint's is 42"), true, "\(error)")
            XCTAssertEqual(offlineExitCode(for: error), 78)
        }
        other = settings()
        other.model.clusters = 3
        XCTAssertThrowsError(try run(other, on: collection, in: out)) { error in
            XCTAssertEqual((error as? CheckpointError)?.kind, .otherModel)
            XCTAssertEqual(offlineExitCode(for: error), 78)
        }
        XCTAssertEqual(try run(settings(), on: collection, in: out).record.resumedAt, 1)
    }

    func testASingleImageIsNoMiniBatch() throws {
        let folder = try TemporaryFolder()
        let collection = try ImageCollection.withLabelsIfAny(opening: [folder.writeIDX("train", images: 1)])
        XCTAssertThrowsError(try run(settings(), on: collection, in: folder.path + "/out")) { error in
            XCTAssertEqual(error as? OfflineError, .tooFewImages(1))
        }
    }

    func testUnreadableImagesAreNamedOnceAndLeftOut() throws {
        let folder = try TemporaryFolder()
        _ = try folder.writeIDX("train", images: 15)
        try Data("no picture".utf8).write(to: folder.url.appendingPathComponent("broken.jpg"))
        let collection = try ImageCollection.withLabelsIfAny(opening: [folder.path])
        let (record, outcome) = try run(settings(), on: collection, in: folder.path + "/out")
        XCTAssertEqual(outcome, .completed)
        XCTAssertEqual(record.unreadable, ["broken.jpg"])
        XCTAssertEqual(record.losses.count, 4)
        XCTAssertEqual(record.epochs[1].1?.images, 15)
        XCTAssertEqual(record.epochs[1].1?.unreadable, 1)
    }
}
