// Another model while images keep coming: what is said of cluster numbers, going back, and what a restart finds.

import Checkpoints
import ContrastiveClustering
import Daemon
import Foundation
import StreamProtocol
import Tensors
import XCTest
import ZeroMQ

final class ReloadTests: XCTestCase {
    /// A checkpoint in a folder of its own, of a model whose cluster numbers are moved by `rotation`.
    private func checkpoint(rotation: Float, step: UInt64 = 7, clusters: Int = 4) throws -> (TemporaryFolder, String) {
        let folder = try TemporaryFolder()
        let store = try CheckpointStore(directory: folder.path, keep: 5) { XCTFail("\($0)") }
        let tensors = [("weight", Float(0)), ("rotation", rotation)].map {
            NamedTensor(name: $0, shape: [1], elements: .float32([$1]))
        }
        let model = CheckpointModel(architecture: "resnet34", imageSize: 224, clusters: clusters, featureDim: 128)
        return (folder, try store.write(LearnerState(step: step, tensors: tensors, random: "1"), model: model).path)
    }

    /// A service that has answered 40 images, ten of each cluster, and learnt from them.
    private func service(_ folder: TemporaryFolder? = nil) throws -> (RunningService, ControlClient) {
        let running = try RunningService(folder: folder)
        var sender = try running.sender()
        for number in 0..<40 { try sender.send(greyMessage(number, grey: UInt8(number % 4 * 64 + number / 4))) }
        _ = try running.assignments(40)
        running.training.waitForTrained(10)
        return (running, try running.controlClient())
    }

    private func nextRelabeling(_ running: RunningService) throws -> RelabelingMessage {
        while true {
            switch try running.next() {
            case .relabeling(let message): return message
            case .checkpoint: continue
            case let other: throw Unexpected(message: other)
            }
        }
    }

    func testAReloadServesAnotherModelAndMapsItsClusters() throws {
        let (running, client) = try service()
        let (folder, path) = try checkpoint(rotation: 1)
        let reply = try client.ask("reload", ["path": .string(path)])
        XCTAssertEqual(reply["model.id"], .string("step-000000007-epoch-1"))
        XCTAssertEqual(reply["model.label_epoch"], JSON(1))
        XCTAssertEqual(reply["saved"], .bool(true))
        let relabeling = try nextRelabeling(running)
        XCTAssertEqual(relabeling.map, [1, 2, 3, 0])
        XCTAssertEqual(relabeling.agreement, 1)
        XCTAssertEqual(relabeling.images, 40)
        XCTAssertEqual([relabeling.previousLabelEpoch, relabeling.labelEpoch], [0, 1])
        XCTAssertEqual(reply["relabeling"], .object(relabeling.members))

        var sender = try running.sender()
        try sender.send(greyMessage(1, grey: 100))
        let assignment = try running.assignments(1)[0]
        XCTAssertEqual(assignment.cluster, 2)
        XCTAssertEqual(assignment.labelEpoch, 1)
        XCTAssertEqual(assignment.step, 7)
        XCTAssertEqual(assignment.model, "step-000000007-epoch-1")
        XCTAssertEqual(assignment.sequence, 41, "the numbering goes on")
        let status = try client.ask("status")
        XCTAssertEqual(status["model.label_epoch"], JSON(1))
        XCTAssertEqual(status["training.step"], JSON(7), "training goes on from there")
        XCTAssertEqual(status["model.relabeling.map"], reply["relabeling.map"])
        XCTAssertTrue(try running.folder.checkpoints.contains("step-000000007-epoch-1.safetensors"))
        withExtendedLifetime(folder) {}
    }

    func testARollbackGoesBackToTheModelBeforeAndForth() throws {
        let (running, client) = try service()
        XCTAssertThrowsError(try client.ask("rollback")) { XCTAssertEqual(($0 as? ControlFailure)?.code, "refused") }
        let (folder, path) = try checkpoint(rotation: 1)
        _ = try client.ask("reload", ["path": .string(path)])
        XCTAssertEqual(try nextRelabeling(running).map, [1, 2, 3, 0])
        let back = try client.ask("rollback")
        XCTAssertEqual(back["model.id"], .string("step-000000010-epoch-2"))
        XCTAssertEqual(try nextRelabeling(running).map, [3, 0, 1, 2])
        var sender = try running.sender()
        try sender.send(greyMessage(1, grey: 100))
        let assignment = try running.assignments(1)[0]
        XCTAssertEqual([assignment.cluster, assignment.labelEpoch, Int(assignment.step)], [1, 2, 10])
        XCTAssertEqual(try client.ask("rollback")["model.id"], .string("step-000000007-epoch-3"))
        withExtendedLifetime(folder) {}
    }

    func testACheckpointOfTheStoreIsReloadedByItsName() throws {
        let (running, client) = try service()
        _ = try client.ask("save")
        let reply = try client.ask("reload", ["id": .string("step-000000010")])
        XCTAssertEqual(reply["model.id"], .string("step-000000010-epoch-1"))
        XCTAssertEqual(try nextRelabeling(running).map, [0, 1, 2, 3])
        for arguments: [String: JSON] in [
            [:], ["id": .string("a"), "path": .string("b")], ["id": JSON(1)], ["path": .bool(true)],
        ] {
            XCTAssertThrowsError(try client.ask("reload", arguments)) {
                XCTAssertEqual(($0 as? ControlFailure)?.code, "invalid-argument")
            }
        }
        for arguments: [String: JSON] in [["id": .string("step-000000099")], ["path": .string("/nowhere")]] {
            XCTAssertThrowsError(try client.ask("reload", arguments)) {
                XCTAssertEqual(($0 as? ControlFailure)?.code, "not-found")
            }
        }
    }

    func testARestartGoesOnWithTheReloadedModelThoughItsStepIsLower() throws {
        let folder = try TemporaryFolder()
        do {
            let (running, client) = try service(folder)
            let (other, path) = try checkpoint(rotation: 1)
            _ = try client.ask("reload", ["path": .string(path)])
            running.service.stop()
            withExtendedLifetime(other) {}
        }
        XCTAssertEqual(try folder.checkpoints, ["step-000000007-epoch-1.safetensors"])
        let running = try RunningService(folder: folder)
        var sender = try running.sender()
        try sender.send(greyMessage(1, grey: 100))
        let assignment = try running.assignments(1)[0]
        XCTAssertEqual([assignment.cluster, assignment.labelEpoch, Int(assignment.step)], [2, 1, 7])
        XCTAssertEqual(assignment.model, "step-000000007-epoch-1")
    }

    func testACollapsedOrBrokenModelIsRefused() throws {
        let (running, client) = try service()
        for (rotation, clusters, reason) in [
            (Float(-1), 4, "it has collapsed: all 40 remembered images go to cluster 0"), (0, 5, "5 clusters"),
        ] {
            let (folder, path) = try checkpoint(rotation: rotation, clusters: clusters)
            XCTAssertThrowsError(try client.ask("reload", ["path": .string(path)])) {
                XCTAssertEqual(($0 as? ControlFailure)?.code, "refused")
                XCTAssertTrue("\($0)".contains(reason), "\($0)")
            }
            withExtendedLifetime(folder) {}
        }
        XCTAssertEqual(try client.ask("status")["model.label_epoch"], JSON(0))
        var sender = try running.sender()
        try sender.send(greyMessage(1, grey: 100))
        XCTAssertEqual(try running.assignments(1)[0].cluster, 1, "the old model serves")
    }

    func testAFullDiskDoesNotKeepAModelFromServing() throws {
        let (running, client) = try service()
        let (folder, path) = try checkpoint(rotation: 1)
        // The folder stays locked, but nothing can be created in it any more.
        try FileManager.default.removeItem(atPath: running.folder.path)
        let reply = try client.ask("reload", ["path": .string(path)])
        XCTAssertEqual(reply["saved"], .bool(false))
        XCTAssertNotNil(reply["save_failure"]?.text)
        XCTAssertEqual(try nextRelabeling(running).labelEpoch, 1)
        withExtendedLifetime(folder) {}
    }

    func testChurnIsAnnouncedFromTheSecondCheckpointOn() throws {
        let (running, client) = try service()
        _ = try client.ask("save")
        XCTAssertNil(try running.nextCheckpoint().churn)
        var sender = try running.sender()
        for number in 0..<4 { try sender.send(greyMessage(number)) }
        running.training.waitForTrained(11)
        _ = try client.ask("save")
        // The clusters of these learners do not depend on what they learn.
        XCTAssertEqual(try running.nextCheckpoint().churn, 0)
        XCTAssertEqual(try client.ask("status")["checkpoint.churn"]?.double, 0)
    }
}
