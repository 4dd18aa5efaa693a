// What is found over a collection, with a learner whose answers are known, and how it is told.

import Checkpoints
import ContrastiveClustering
import Datasets
import Foundation
import Imaging
import Offline
import XCTest

/// Assigns by brightness: dark pictures to cluster 0, bright ones to 2; nothing is ever in 1.
private final class BrightnessLearner: Learner {
    func train(_ images: [RGBImage], next: [RGBImage]) -> StepReport { fatalError("it only assigns") }

    func assign(_ images: [RGBImage], embedding: EmbeddingKind) -> [Assignment] {
        images.map { image in
            let mean = image.pixels.reduce(0) { $0 + Int($1) } / image.pixels.count
            return Assignment(cluster: mean < 128 ? 0 : 2, confidence: 1, probabilities: [])
        }
    }

    func snapshot() -> WeightSnapshot { WeightSnapshot(step: 0, values: []) }
    func adopt(_ snapshot: WeightSnapshot) {}
    func exportState() -> LearnerState { LearnerState(step: 0, tensors: [], random: "") }
    func importState(_ state: LearnerState) throws {}
    func setLearningRate(_ rate: Float) {}
}

final class EvaluationTests: XCTestCase {
    private func report(on sources: [String]) throws -> EvaluationReport {
        let collection = try ImageCollection.withLabelsIfAny(opening: sources)
        return try XCTUnwrap(
            EvaluationReport(
                BrightnessLearner(), clusters: 3, on: ImageBatches(collection, imageSize: 16, threads: 2)))
    }

    func testEveryImageIsCountedAndCompared() throws {
        let folder = try TemporaryFolder()
        let report = try report(on: [folder.writeIDX("t10k", images: 601)])
        XCTAssertEqual(report.images, 601)
        XCTAssertEqual(report.clusterSizes, [301, 0, 300])
        XCTAssertEqual(report.labels, 2)
        XCTAssertEqual(report.scores?.accuracy, 1)
        let json = try XCTUnwrap(
            JSONSerialization.jsonObject(with: JSONEncoder().encode(report)) as? [String: Any])
        XCTAssertEqual(json["n"] as? Int, 601)
        XCTAssertEqual(json["nmi"] as? Double, 1)
        XCTAssertEqual(json["acc"] as? Double, 1)
        XCTAssertEqual(json["ari"] as? Double, 1)
        XCTAssertEqual(json["cluster_sizes"] as? [Int], [301, 0, 300])
        XCTAssertEqual(report.scoreLine, "NMI 1.000  ACC 1.000  ARI 1.000")
    }

    func testWithoutLabelsThereAreSizesAlone() throws {
        let folder = try TemporaryFolder()
        let report = try report(on: [folder.writeIDX("t10k", images: 10, labels: false)])
        XCTAssertEqual(report.clusterSizes, [5, 0, 5])
        XCTAssertNil(report.scores)
        XCTAssertEqual(report.scoreLine, "")
        let json = try XCTUnwrap(
            JSONSerialization.jsonObject(with: JSONEncoder().encode(report)) as? [String: Any])
        XCTAssertNil(json["nmi"])
        XCTAssertEqual(json["labels"] as? Int, 0)
    }

    func testAMissingFolderIsAnInputError() throws {
        XCTAssertThrowsError(try report(on: ["/nowhere"])) { error in
            XCTAssertEqual(offlineExitCode(for: error), 74)
        }
    }

    func testACheckpointAloneMakesALearner() throws {
        let folder = try TemporaryFolder()
        let model = ModelSettings(architecture: .resnet18, imageSize: 16, clusters: 3, featureDimension: 8)
        let images = [RGBImage(width: 4, height: 4, pixels: (0..<48).map { UInt8($0 * 5) })]
        for heads in [Heads.both, .instance] {
            let learner = CPULearner(
                model: model, training: TrainingSettings(batchSize: 2, heads: heads), threads: 2)
            _ = learner.train(images + images)
            let store = try CheckpointStore(directory: folder.path + "/\(heads)", keep: 1, onWarning: { _ in })
            let described = OfflineSettings(model: model).checkpointModel
            let record = try store.write(learner.exportState(), model: described)
            let assigner = try CPULearner.assigning(from: Checkpoint(path: record.path), threads: 2)
            XCTAssertEqual(
                assigner.assign(images, embedding: .feature), learner.assign(images, embedding: .feature))
            XCTAssertEqual(assigner.trainingSettings.heads == .instance, heads == .instance)

            var unknown = described
            unknown.architecture = "vgg16"
            let foreign = try store.write(learner.exportState(), model: unknown)
            XCTAssertThrowsError(try CPULearner.assigning(from: Checkpoint(path: foreign.path))) { error in
                XCTAssertTrue("\(error)".contains("vgg16"), "\(error)")
                XCTAssertEqual(offlineExitCode(for: error), 78)
            }
        }
    }

    func testLinesOfARun() {
        var progress = OfflineTraining.Progress()
        progress.epoch = 2
        progress.step = 300
        progress.stepInEpoch = 27
        progress.stepsPerEpoch = 273
        progress.losses = Losses(instance: 5, cluster: 2.25, entropy: 0.25)
        progress.meanLosses = progress.losses
        progress.imagesPerSecond = 201.4
        XCTAssertEqual(
            RunDisplay.stepLine(progress, epochs: 20, width: 100),
            "epoch 2/20 [#-------------------] 27/273  loss 7.500  201 images/s")
        XCTAssertEqual(RunDisplay.stepLine(progress, epochs: 20, width: 11), "epoch 2/20")
        XCTAssertEqual(
            RunDisplay.epochLine(progress, epochs: 20, nil),
            "epoch 2/20  step 300  loss 7.5000  (instance 5.0000  cluster 2.2500  entropy 0.2500)  201 images/s")
    }
}
