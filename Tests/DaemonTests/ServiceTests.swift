// Images in by real sockets, assignments and checkpoints out, and stopping and resuming.

import Checkpoints
import ContrastiveClustering
import Daemon
import Foundation
import StreamProtocol
import XCTest
import ZeroMQ

final class ServiceTests: XCTestCase {
    func testPushedImagesAreAssignedAndNumberedWithoutHoles() throws {
        let running = try RunningService()
        var sender = try running.sender()
        for number in 0..<200 { try sender.send(greyMessage(number)) }
        let assignments = try running.assignments(200)
        XCTAssertEqual(assignments.map(\.sequence), Array(1...200))
        XCTAssertEqual(Set(assignments.map(\.epoch)).count, 1)
        for (number, assignment) in assignments.enumerated() {
            XCTAssertEqual(assignment.topic, "assignment/cam/\(number / 64)")
            XCTAssertEqual(assignment.id, "\(number)")
            XCTAssertEqual(assignment.sourceSequence, UInt64(number))
            XCTAssertLessThanOrEqual(assignment.received, assignment.published)
            XCTAssertEqual(assignment.model, "step-000000000")
            XCTAssertNil(assignment.probabilities)
        }
        // What a heartbeat says of assignments follows their publishing.
        var heartbeat = try running.nextHeartbeat()
        for _ in 0..<500 where heartbeat.sequence < 200 { heartbeat = try running.nextHeartbeat() }
        XCTAssertEqual(heartbeat.sequence, 200)
        XCTAssertEqual(heartbeat.epoch, assignments[0].epoch)
    }

    func testPublishedImagesAndFilesOfEveryFormatAreAssigned() throws {
        let running = try RunningService()
        var publisher = try running.sender(.xpub, source: RunningService.stream)
        XCTAssertEqual(try publisher.receive(), .frames([[1]]), "the daemon has subscribed")
        for (name, file) in [("jpeg", Pictures.jpeg), ("png", Pictures.png), ("webp", Pictures.webp)] {
            try publisher.send(message(#"{"v":1,"id":"\#(name)"}"#, file, source: "crawler"))
            // imagezmq's two frames, with the source's name in `msg`.
            try publisher.send([Array(#"{"msg":"pi"}"#.utf8), file])
        }
        let assignments = try running.assignments(6)
        XCTAssertEqual(assignments.map(\.source), ["crawler", "pi", "crawler", "pi", "crawler", "pi"])
        XCTAssertEqual(assignments.compactMap(\.id), ["jpeg", "png", "webp"])
        XCTAssertEqual(assignments[2].cluster, 3, "grey value 200 of 4 clusters")
    }

    func testProbabilitiesAndEmbeddingsFollowWhereConfigured() throws {
        let running = try RunningService {
            $0.publish.probabilities = true
            $0.publish.embedding = .feature
        }
        var sender = try running.sender()
        try sender.send(greyMessage(1, grey: 200))
        let assignment = try running.assignments(1)[0]
        XCTAssertEqual(assignment.probabilities, [0, 0, 0, 1])
        XCTAssertEqual(assignment.embedding, [0, 1])
    }

    func testAnAssignmentDoesNotWaitForATrainingStep() throws {
        let running = try RunningService(gateOpen: false)
        var sender = try running.sender()
        for number in 0..<4 { try sender.send(greyMessage(number)) }
        running.gate.waitForArrival()
        try sender.send(greyMessage(4))
        XCTAssertEqual(try running.assignments(5).last?.id, "4")
        XCTAssertEqual(running.service.summary.trained, 0, "the step is still under way")
    }

    func testWhatWaitsForTrainingWaitsWithItsSenderAndWhatIsAdmittedIsAnswered() throws {
        let running = try RunningService(batchSize: 4, gateOpen: false)
        var sender = try running.sender()
        for number in 0..<4 { try sender.send(greyMessage(number)) }
        running.gate.waitForArrival()
        for number in 4..<40 { try sender.send(greyMessage(number)) }
        // Four in the step under way, eight in the buffer, and none in between that would be answered late.
        XCTAssertEqual(try running.assignments(12).last?.sequence, 12)
        XCTAssertEqual(running.service.summary.received, 12)
        running.gate.open()
        XCTAssertEqual(try running.assignments(28).last?.sequence, 40)
        running.training.waitForTrained(10)
    }

    func testStoppingDrainsTrainsTheRestAndWritesACheckpoint() throws {
        let running = try RunningService(batchSize: 64, gateOpen: false)
        var sender = try running.sender()
        for number in 0..<100 { try sender.send(greyMessage(number)) }
        // All are admitted, and training is far from done when the end begins.
        while running.service.summary.admitted < 100 { _ = try running.nextHeartbeat() }
        running.gate.open()
        let summary = running.service.stop()
        XCTAssertEqual(try running.assignments(100).map(\.sequence).last, 100)
        XCTAssertEqual(summary.assigned, 100)
        XCTAssertEqual(summary.trained, 100)
        XCTAssertEqual(summary.steps, 2, "a whole mini-batch and more than half of one")
        XCTAssertEqual(try running.folder.checkpoints, ["step-000000002.safetensors"])
        XCTAssertEqual(running.service.stop(), summary, "stopping again is harmless")
    }

    func testACheckpointIsAnnouncedWhenWrittenAndAgain() throws {
        let running = try RunningService(announcementInterval: 0.1) { $0.checkpoint.everySteps = 2 }
        var sender = try running.sender()
        for number in 0..<8 { try sender.send(greyMessage(number)) }
        let first = try running.nextCheckpoint()
        let file = running.folder.path + "/step-000000002.safetensors"
        let checkpoint = try Checkpoint(path: file)
        XCTAssertEqual(first.id, "step-000000002")
        XCTAssertEqual(first.step, 2)
        XCTAssertEqual(Int(first.byteCount), try Data(contentsOf: URL(fileURLWithPath: file)).count)
        XCTAssertEqual(first.sha256, checkpoint.record.sha256)
        XCTAssertTrue(checkpoint.configuration.contains(#""train.batch_size":"4""#), checkpoint.configuration)
        XCTAssertEqual(try running.nextCheckpoint(), first)

        // The assigner takes the weights in when it has them ready, which nobody waits for; each heartbeat is a look.
        let client = try running.controlClient()
        let deadline = MonotonicTime.now.advanced(bySeconds: 60)
        while try client.ask("status")["model.id"]?.text != first.id, MonotonicTime.now < deadline {
            _ = try running.nextHeartbeat()
        }
        try sender.send(greyMessage(8))
        var last = try running.assignments(1)[0]
        while last.id != "8" { last = try running.assignments(1)[0] }
        XCTAssertEqual(last.model, first.id)
    }

    func testResumesTheNewestCheckpointAndPassesOverADamagedOne() throws {
        let folder = try TemporaryFolder()
        func run(images: Int) throws -> (log: [String], first: AssignmentMessage) {
            let running = try RunningService(folder: folder)
            var sender = try running.sender()
            try sender.send(greyMessage(0))
            // Before there is a mini-batch to learn from, so that no further step is served yet.
            let first = try running.assignments(1)[0]
            for number in 1..<images { try sender.send(greyMessage(number)) }
            _ = try running.assignments(images - 1)
            running.service.stop()
            return (running.log.read { $0 }, first)
        }
        XCTAssertTrue(try run(images: 8).log.contains { $0.hasPrefix("info: starting afresh") })
        XCTAssertEqual(try folder.checkpoints, ["step-000000002.safetensors"])

        let second = try run(images: 4)
        XCTAssertEqual(second.first.step, 2)
        XCTAssertEqual(second.first.model, "step-000000002")
        XCTAssertEqual(try folder.checkpoints, ["step-000000002.safetensors", "step-000000003.safetensors"])

        let newest = folder.path + "/step-000000003.safetensors"
        XCTAssertEqual(truncate(newest, 100), 0)
        let third = try run(images: 1)
        XCTAssertEqual(third.first.step, 2)
        XCTAssertTrue(
            third.log.contains { $0.contains("damaged checkpoint is passed over") && $0.contains(newest) },
            "\(third.log)")
        XCTAssertTrue(third.log.contains { $0.hasPrefix("info: resuming") && $0.hasSuffix("step=2") }, "\(third.log)")
    }

    func testAPortInUseIsNamedAndTheFolderIsFreeAgain() throws {
        let context = try ZeroMQContext()
        var other = try context.socket(.pull)
        let taken = try other.bind("tcp://127.0.0.1:*")
        let folder = try TemporaryFolder()
        XCTAssertThrowsError(try RunningService(folder: folder) { $0.publish.endpoint = taken }) {
            XCTAssertTrue("\($0)".contains("cannot bind \(taken): port already in use"), "\($0)")
        }
        XCTAssertNoThrow(try RunningService(folder: folder))
    }

    func testAFolderInUseAndAnotherModelsFolderAreRefused() throws {
        let folder = try TemporaryFolder()
        do {
            let running = try RunningService(folder: folder)
            XCTAssertThrowsError(try RunningService(folder: folder)) {
                XCTAssertEqual(($0 as? CheckpointError)?.kind, .inUse, "\($0)")
            }
            var sender = try running.sender()
            for number in 0..<4 { try sender.send(greyMessage(number)) }
            _ = try running.assignments(4)
        }
        XCTAssertThrowsError(try RunningService(folder: folder) { $0.model.clusters = 5 }) {
            XCTAssertEqual(($0 as? CheckpointError)?.kind, .otherModel, "\($0)")
        }
    }

    func testACheckpointThatCannotBeWrittenIsKnownAtTheEnd() throws {
        let running = try RunningService()
        var sender = try running.sender()
        for number in 0..<4 { try sender.send(greyMessage(number)) }
        _ = try running.assignments(4)
        try FileManager.default.removeItem(atPath: running.folder.path)
        running.service.stop()
        XCTAssertTrue(running.service.lastCheckpointFailed)
        XCTAssertTrue(running.log.read { $0 }.contains { $0.hasPrefix("error: cannot") }, "\(running.log.read { $0 })")
    }
}
