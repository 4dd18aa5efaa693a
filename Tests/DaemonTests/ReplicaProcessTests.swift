// A replica and its trainer as processes with real models: either comes and goes, and the other goes on.

import Daemon
import Foundation
import StreamProtocol
import XCTest
import ZeroMQ

final class ReplicaProcessTests: XCTestCase {
    /// A process that serves, and clients of its endpoints.
    private final class Daemon {
        let process: TestProcess
        private let context: ZeroMQContext
        private var sender: Socket
        private var subscriber: Socket
        let control: String

        init(_ folder: TemporaryFolder, _ settings: [String]) throws {
            let process = try TestProcess.serve(folder, set: ["publish.probabilities=true"] + settings)
            func endpoint(_ text: String) throws -> String {
                try XCTUnwrap(process.logged("endpoint", with: text), "\(process.errors.read { $0.lines })")
            }
            let context = try ZeroMQContext(linger: .zero)
            var sender = try context.socket(.push)
            try sender.set(.sendTimeout, .seconds(30))
            try sender.connect(try endpoint("source=queue"))
            let control = try endpoint("answering control")
            var subscriber = try context.socket(.sub)
            try subscriber.set(.receiveTimeout, .seconds(30))
            try subscriber.set(.subscribe, Array("assignment/".utf8))
            try subscriber.set(.subscribe, Array("heartbeat".utf8))
            try subscriber.connect(try endpoint("publishing"))
            // The first heartbeat.
            _ = try subscriber.receive()
            (self.process, self.context, self.control) = (process, context, control)
            self.sender = sender
            self.subscriber = subscriber
        }

        func send(_ numbers: Range<Int>) throws {
            for number in numbers {
                let pixels = (0..<16 * 16 * 3).map { UInt8(truncatingIfNeeded: ($0 + 7) * (number + 3) * 31 >> 3) }
                let header = #"{"v":1,"id":"\#(number)","format":"raw","shape":[16,16,3],"dtype":"uint8"}"#
                try sender.send(message(header, pixels))
            }
        }

        func assignments(_ count: Int) throws -> [AssignmentMessage] {
            var assignments: [AssignmentMessage] = []
            while assignments.count < count {
                guard case .frames(let frames) = try subscriber.receive() else { throw CocoaError(.fileReadTooLarge) }
                if case .assignment(let assignment) = try PublishedMessage(frames: frames) {
                    assignments.append(assignment)
                }
            }
            return assignments
        }

        func ask(_ operation: String) throws -> ControlReply { try ControlClient(control).ask(operation) }

        /// Waits until the model that serves is `id`.
        func waitForModel(_ id: String) throws {
            let deadline = MonotonicTime.now.advanced(bySeconds: 120)
            while try ask("status")["model.id"]?.text != id {
                guard MonotonicTime.now < deadline else { return XCTFail("\(try ask("status").members)") }
                _ = try subscriber.receive()
            }
        }

        func stop(_ signal: Int32 = SIGTERM) {
            process.signal(signal)
            XCTAssertEqual(process.wait(), signal == SIGTERM ? 0 : 128 + signal)
        }
    }

    /// Endpoints that stay the same from start to start.
    private func ports() throws -> (publisher: String, control: String) {
        let context = try ZeroMQContext()
        var socket = try context.socket(.pull)
        return (try socket.bind("tcp://127.0.0.1:*"), try socket.bind("tcp://127.0.0.1:*"))
    }

    func testEitherComesAndGoes() throws {
        let (trainerFolder, replicaFolder) = (try TemporaryFolder(), try TemporaryFolder())
        let (publisher, control) = try ports()
        let asTrainer = ["publish.endpoint=\(publisher)", "control.endpoint=\(control)"]
        let asReplica = ["mode=replica", "replica.subscribe=\(publisher)", "replica.control=\(control)"]

        // The replica is there first, and its images wait.
        var replica = try Daemon(replicaFolder, asReplica)
        try replica.send(0..<3)
        let waiting = try replica.ask("status")
        XCTAssertEqual(waiting["model"], .null)
        XCTAssertEqual(waiting["assigning.images"], JSON(0))

        var trainer = try Daemon(trainerFolder, asTrainer)
        try trainer.send(0..<16)
        _ = try trainer.assignments(16)
        while try trainer.ask("status")["training.steps"] != JSON(2) { usleep(10_000) }
        let first = try XCTUnwrap(try trainer.ask("save")["checkpoint.id"]?.text)
        let answered = try replica.assignments(3)
        XCTAssertEqual(Set(answered.map(\.model)), [first])
        _ = try trainer.ask("pause")
        // It takes in what it has learnt when it has it ready.
        while try trainer.ask("status")["model.step"] != JSON(2) { usleep(10_000) }
        try trainer.send(0..<3)
        for (own, trainers) in zip(answered, try trainer.assignments(3)) {
            XCTAssertEqual(own.cluster, trainers.cluster)
            for (a, b) in zip(try XCTUnwrap(own.probabilities), try XCTUnwrap(trainers.probabilities)) {
                XCTAssertEqual(a, b, accuracy: 1e-4)
            }
        }

        // The trainer is killed, and comes back.
        trainer.stop(SIGKILL)
        try replica.send(0..<3)
        XCTAssertEqual(try replica.assignments(3).map(\.cluster), answered.map(\.cluster))
        trainer = try Daemon(trainerFolder, asTrainer)
        try trainer.send(16..<32)
        _ = try trainer.assignments(16)
        while try trainer.ask("status")["training.steps"] != JSON(2) { usleep(10_000) }
        let second = try XCTUnwrap(try trainer.ask("save")["checkpoint.id"]?.text)
        XCTAssertNotEqual(second, first)
        try replica.waitForModel(second)
        try replica.send(0..<3)
        let last = try replica.assignments(3)
        XCTAssertEqual(Set(last.map(\.model)), [second])

        // Both end, and the replica starts alone.
        trainer.stop()
        replica.stop(SIGKILL)
        replica = try Daemon(replicaFolder, asReplica)
        try replica.send(0..<3)
        let alone = try replica.assignments(3)
        XCTAssertEqual(alone.map(\.cluster), last.map(\.cluster))
        XCTAssertEqual(alone.map(\.sequence), [10, 11, 12])
        XCTAssertEqual(Set(alone.map(\.model)), [second])
        replica.stop()
    }

    func testATrainerWithKeysIsFollowedByWhomItKnows() throws {
        let keys = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: keys.path + "/clients", withIntermediateDirectories: false)
        for (name, folder) in [("trainer", keys.path), ("friend", keys.path + "/clients"), ("stranger", keys.path)] {
            let made = try TestProcess.clusterd(["keygen", name, "--directory", folder])
            XCTAssertEqual(made.wait(), 0)
        }
        let (publisher, control) = try ports()
        let folders = try (0..<3).map { _ in try TemporaryFolder() }
        let trainer = try TestProcess.serve(
            folders[0],
            set: ["publish.endpoint=\(publisher)", "control.endpoint=\(control)", "checkpoint.every_steps=1"]
                + ["publish", "control"].flatMap {
                    [
                        "\($0).curve_secret_key=\(keys.path)/trainer.key_secret",
                        "\($0).curve_clients=\(keys.path)/clients",
                    ]
                })
        let context = try ZeroMQContext(linger: .zero)
        var sender = try context.socket(.push)
        try sender.set(.sendTimeout, .seconds(30))
        try sender.connect(try XCTUnwrap(trainer.logged("endpoint", with: "source=queue")))
        for number in 0..<8 { try sender.send(greyMessage(number, grey: UInt8(number * 30))) }
        XCTAssertNotNil(trainer.line(with: "wrote a checkpoint", in: trainer.errors))

        func replica(_ folder: TemporaryFolder, _ key: String) throws -> Daemon {
            try Daemon(
                folder,
                [
                    "mode=replica", "replica.subscribe=\(publisher)", "replica.control=\(control)",
                    "replica.curve_server_key=\(keys.path)/trainer.key", "replica.curve_secret_key=\(key)",
                ])
        }
        let stranger = try replica(folders[1], keys.path + "/stranger.key_secret")
        let friend = try replica(folders[2], keys.path + "/clients/friend.key_secret")
        try friend.waitForModel("step-000000001")
        XCTAssertNotNil(
            stranger.process.line(with: "the trainer cannot be followed at the moment", in: stranger.process.errors))
        XCTAssertEqual(try stranger.ask("status")["model"], .null)
        for daemon in [stranger, friend] { daemon.stop() }
        trainer.signal(SIGTERM)
        XCTAssertEqual(trainer.wait(), 0)
        withExtendedLifetime(folders) {}
    }
}
