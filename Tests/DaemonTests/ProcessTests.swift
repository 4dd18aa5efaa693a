// The program itself: exit codes, signals, and what it prints.

import Daemon
import Foundation
import StreamProtocol
import XCTest
import ZeroMQ

final class ProcessTests: XCTestCase {
    private func write(_ text: String, in folder: TemporaryFolder) throws -> String {
        let path = folder.path + "/clusterd.yaml"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    func testAValidConfigurationIsShownWithItsOrigins() throws {
        let folder = try TemporaryFolder()
        let file = try write("threads: 3\n", in: folder)
        let check = try TestProcess.clusterd(
            ["check-config", file, "--set", "train.seed=7"], environment: ["CLUSTERD_TRAIN_JITTER": "0.5"])
        XCTAssertEqual(check.wait(), 0)
        let lines = check.output.read { $0.lines }
        XCTAssertEqual(lines.first, "valid")
        for (key, origin) in [
            ("threads ", "\(file):1"), ("train.seed ", "--set"), ("train.jitter ", "CLUSTERD_TRAIN_JITTER"),
        ] {
            XCTAssertTrue(lines.contains { $0.hasPrefix(key) && $0.hasSuffix(origin) }, "\(key) \(lines)")
        }
    }

    func testEveryMistakeIsNamedAndTheExitCodeIs78() throws {
        let folder = try TemporaryFolder()
        let file = try write("threds: 2\ntrain:\n  batch_size: 1\n", in: folder)
        for arguments in [["check-config", file], ["serve", "--config", file]] {
            let process = try TestProcess.clusterd(arguments)
            XCTAssertEqual(process.wait(), 78)
            XCTAssertEqual(
                process.errors.read { $0.lines },
                [
                    "\(file):1: threds: no such key; did you mean threads?",
                    "\(file):3: train.batch_size: 1 is out of range: 2 to 65536",
                ])
        }
    }

    func testAFileThatIsNotThere() throws {
        let process = try TestProcess.clusterd(["serve", "--config", "/nowhere/clusterd.yaml"])
        XCTAssertEqual(process.wait(), 74)
        XCTAssertEqual(
            process.errors.read { $0.lines },
            ["clusterd: cannot read /nowhere/clusterd.yaml: No such file or directory"])
    }

    func testAPortInUse() throws {
        let context = try ZeroMQContext()
        var other = try context.socket(.pull)
        let taken = try other.bind("tcp://127.0.0.1:*")
        let process = try TestProcess.serve(try TemporaryFolder(), set: ["publish.endpoint=\(taken)"])
        XCTAssertEqual(process.wait(), 74)
        XCTAssertTrue(
            process.errors.read { $0.lines.last?.hasPrefix("clusterd: cannot bind \(taken): port already in use") }
                ?? false)
    }

    func testTheFirstSignalStopsInOrder() throws {
        for (number, name) in [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")] {
            let folder = try TemporaryFolder()
            let process = try TestProcess.serve(folder)
            let client = try Client(of: process)
            try client.send(0..<20)
            XCTAssertEqual(try client.assignments(20).map(\.sequence), Array(1...20))
            process.signal(number)
            XCTAssertEqual(process.wait(), 0)
            XCTAssertEqual(process.logged("signal", with: "stopping"), name)
            // Two whole mini-batches of eight, and half a one.
            XCTAssertEqual(process.logged("trained", with: "stopped:"), "20")
            XCTAssertEqual(try folder.checkpoints, ["step-000000003.safetensors"])
        }
    }

    func testTheSecondSignalLeavesAtOnce() throws {
        let folder = try TemporaryFolder()
        // A step that takes long enough to be under way when both signals come.
        let process = try TestProcess.serve(
            folder, set: ["model.architecture=resnet50", "model.image_size=224", "train.batch_size=32"])
        let client = try Client(of: process)
        try client.send(0..<32)
        XCTAssertEqual(try client.assignments(32).count, 32)
        process.signal(SIGTERM)
        XCTAssertNotNil(process.line(with: "stopping", in: process.errors))
        process.signal(SIGTERM)
        XCTAssertEqual(process.wait(), 128 + SIGTERM)
        XCTAssertEqual(try folder.checkpoints, [])
    }

    func testKilledItResumesAndStoppedItGoesOnBitForBit() throws {
        /// The losses of steps 1 to 6, the process ended by `signal` after the first two mini-batches.
        func losses(endedBy signal: Int32?) throws -> [String] {
            let folder = try TemporaryFolder()
            var losses: [String] = []
            var process = try TestProcess.serve(folder, set: ["checkpoint.every_steps=2"])
            var client = try Client(of: process)
            func collect(_ steps: ClosedRange<Int>) {
                for step in steps { losses.append(process.logged("loss", with: "step=\(step)") ?? "none") }
            }
            try client.send(0..<16)
            collect(1...2)
            if let signal {
                XCTAssertNotNil(process.line(with: "wrote a checkpoint", in: process.errors))
                process.signal(signal)
                XCTAssertEqual(process.wait(), signal == SIGTERM ? 0 : 128 + signal)
                process = try TestProcess.serve(folder)
                XCTAssertEqual(process.logged("step", with: "resuming"), "2")
                client = try Client(of: process)
            }
            try client.send(16..<48)
            collect(3...6)
            process.signal(SIGTERM)
            XCTAssertEqual(process.wait(), 0)
            return losses
        }
        let whole = try losses(endedBy: nil)
        XCTAssertEqual(Set(whole).count, 6, "\(whole)")
        XCTAssertEqual(try losses(endedBy: SIGTERM), whole)
        XCTAssertEqual(try losses(endedBy: SIGKILL), whole)
    }

    func testTheJournalsFormHasPriorities() throws {
        let folder = try TemporaryFolder()
        // What systemd says of its journal, of the pipe that standard error is here.
        let process = try TestProcess(
            "/bin/sh",
            [
                "-c", #"JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/2) exec "$0" "$@""#, try TestProcess.program(),
                "serve",
            ]
                + TestProcess.settings, environment: ["STATE_DIRECTORY": folder.path])
        XCTAssertTrue(process.line(with: "publishing", in: process.errors)?.hasPrefix("<6>publishing ") ?? false)
        process.signal(SIGINT)
        XCTAssertTrue(process.line(with: "stopping", in: process.errors)?.hasPrefix("<5>stopping ") ?? false)
        XCTAssertEqual(process.wait(), 0)
    }

    func testTheLogAsJSONAndItsLevelWhileTheDaemonRuns() throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/clusterd.yaml"
        try Data("log: {format: json, level: warning}\n".utf8).write(to: URL(fileURLWithPath: file))
        let process = try TestProcess.clusterd(
            ["serve", "--config", file] + TestProcess.settings + ["control.endpoint=ipc://\(folder.path)/control"],
            environment: ["STATE_DIRECTORY": folder.path, "JOURNAL_STREAM": "8:1"])
        // At this level nothing is said of how far it is, so the answer takes as long as the start.
        _ = try ControlClient("ipc://\(folder.path)/control", timeout: .seconds(120)).ask("status")
        try Data("log: {format: json, level: info}\n".utf8).write(to: URL(fileURLWithPath: file))
        process.signal(SIGHUP)
        let line = try XCTUnwrap(process.line(with: "read again", in: process.errors))
        let members = try XCTUnwrap(JSON(parsing: Array(line.utf8)).members)
        XCTAssertEqual(members["level"], .string("notice"))
        XCTAssertEqual(members["changed"], .string("log.level"))
        process.signal(SIGTERM)
        XCTAssertEqual(process.wait(), 0)
        for line in process.errors.read({ $0.lines }) { XCTAssertNoThrow(try JSON(parsing: Array(line.utf8)), line) }
    }

    /// A sender and a subscriber of a daemon in another process.
    private final class Client {
        private let context: ZeroMQContext
        private var sender: Socket
        private var subscriber: Socket

        init(of process: TestProcess) throws {
            let queue = try XCTUnwrap(
                process.logged("endpoint", with: "source=queue"), "\(process.errors.read { $0.lines })")
            let publisher = try XCTUnwrap(process.logged("endpoint", with: "publishing"))
            context = try ZeroMQContext(linger: .zero)
            sender = try context.socket(.push)
            try sender.set(.sendTimeout, .seconds(30))
            try sender.connect(queue)
            subscriber = try context.socket(.sub)
            try subscriber.set(.receiveTimeout, .seconds(60))
            try subscriber.set(.subscribe, [])
            try subscriber.connect(publisher)
            _ = try subscriber.receive()
        }

        /// Sends images whose pixels follow from their numbers.
        func send(_ numbers: Range<Int>) throws {
            for number in numbers {
                let pixels = (0..<16 * 16 * 3).map { UInt8(truncatingIfNeeded: ($0 + 7) * (number + 3) * 31 >> 3) }
                try sender.send(
                    message(
                        #"{"v":1,"id":"\#(number)","format":"raw","shape":[16,16,3],"dtype":"uint8"}"#, pixels))
            }
        }

        func assignments(_ count: Int) throws -> [AssignmentMessage] {
            var assignments: [AssignmentMessage] = []
            while assignments.count < count {
                guard case .frames(let frames) = try subscriber.receive() else { continue }
                if case .assignment(let assignment) = try PublishedMessage(frames: frames) {
                    assignments.append(assignment)
                }
            }
            return assignments
        }
    }
}
