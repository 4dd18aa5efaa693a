// Settings that change while the daemon runs, and those that cannot.

import Daemon
import Foundation
import StreamProtocol
import XCTest
import ZeroMQ

final class ReconfigurationTests: XCTestCase {
    /// Every setting that is said to change does: after applying, a second comparison finds nothing left of it.
    func testEverySettingIsEitherAppliedOrNamed() {
        let current = Configuration(stateDirectory: "/a")
        var wanted = Configuration(stateDirectory: "/b")
        wanted.publish.probabilities = true
        wanted.train.learningRate = 0.5
        wanted.assign.maxBatch = 3
        wanted.assign.maxDelayMilliseconds = 4
        wanted.checkpoint.everySteps = 5
        wanted.checkpoint.everySeconds = 6
        wanted.checkpoint.keep = 7
        wanted.log.level = .debug
        wanted.log.format = .json
        wanted.model.clusters = 20
        wanted.sources[0].endpoint = "tcp://127.0.0.1:9999"
        let change = Reconfiguration(from: current, to: wanted)
        XCTAssertEqual(Set(change.changed), Set(Reconfiguration.changeable))
        XCTAssertEqual(
            change.needsRestart, ["model.clusters", "checkpoint.directory", "journal.directory", "sources"])
    }

    func testWhatCanChangeTakesEffect() throws {
        var configuration: Configuration?
        let running = try RunningService(batchSize: 4, announcementInterval: 0.1) {
            $0.checkpoint.everySteps = 1000
            configuration = $0
        }
        var wanted = try XCTUnwrap(configuration)
        wanted.publish.probabilities = true
        wanted.train.learningRate = 0.125
        wanted.checkpoint.everySteps = 1
        wanted.checkpoint.keep = 1
        wanted.model.clusters = 99
        let change = running.service.reconfigure(wanted)
        XCTAssertEqual(change.needsRestart, ["model.clusters"])
        running.training.waitForLearningRate(0.125)
        var sender = try running.sender()
        for number in 0..<4 { try sender.send(greyMessage(number)) }
        XCTAssertEqual(try running.assignments(4).map { $0.probabilities?.count }, [4, 4, 4, 4])
        // Each is announced again and again, since the first time may be among the assignments.
        XCTAssertEqual(try running.nextCheckpoint().id, "step-000000001")
        for number in 4..<8 { try sender.send(greyMessage(number)) }
        var next = try running.nextCheckpoint().id
        while next == "step-000000001" { next = try running.nextCheckpoint().id }
        XCTAssertEqual(next, "step-000000002")
        XCTAssertEqual(try running.folder.checkpoints, ["step-000000002.safetensors"])
        XCTAssertEqual(running.service.reconfigure(wanted).changed, [], "once is enough")
    }

    func testSIGHUPReadsTheConfigurationAgain() throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/clusterd.yaml"
        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: file)) }
        try write("train: {learning_rate: 0.001}\n")
        let process = try TestProcess.serve(folder, arguments: ["--config", file])
        XCTAssertNotNil(process.line(with: "publishing", in: process.errors))

        try write("train: {learning_rate: 0.002, jitter: 0.5}\n")
        process.signal(SIGHUP)
        XCTAssertEqual(process.logged("changed", with: "read again"), "train.learning_rate")
        XCTAssertEqual(process.logged("settings", with: "need a restart"), "train.jitter")

        try write("train: {learning_rat: 1}\n")
        process.signal(SIGHUP)
        XCTAssertNotNil(process.line(with: "did you mean train.learning_rate?", in: process.errors))
        XCTAssertNotNil(process.line(with: "stays as it was", in: process.errors))
        process.signal(SIGTERM)
        XCTAssertEqual(process.wait(), 0)
    }
}
