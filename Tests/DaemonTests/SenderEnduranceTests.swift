// Senders that outlive the daemon they send to, and that are silent for longer than others would wait.
//
// CLUSTERD_TEST_SILENCE is how many seconds of silence are tried; left out, a few, which is longer than anything in the daemon
// that happens by the clock.

import Daemon
import Foundation
import StreamProtocol
import XCTest

final class SenderEnduranceTests: XCTestCase {
    /// NetGear gives up at the third reply that it misses, which a slow machine's daemon makes it do by stopping.
    private static let patience = #"{"max_retries": 1000}"#

    /// A daemon with a source of each pattern, on ports that stay the same when it is started again.
    private final class Daemon {
        static let patterns = ["sub", "rep", "pair"]
        let folder: TemporaryFolder
        let endpoints: [String: String]
        private(set) var process: TestProcess

        init() throws {
            folder = try TemporaryFolder()
            process = try Self.start(folder, endpoints: [:])
            var endpoints: [String: String] = [:]
            for pattern in Self.patterns {
                endpoints[pattern] = try XCTUnwrap(process.logged("endpoint", with: "source=\(pattern)"))
            }
            self.endpoints = endpoints
            XCTAssertNotNil(process.line(with: "publishing", in: process.errors))
        }

        private static func start(_ folder: TemporaryFolder, endpoints: [String: String]) throws -> TestProcess {
            try TestProcess.serve(
                folder,
                set: patterns.flatMap { pattern in
                    [
                        "sources.\(pattern).endpoint=\(endpoints[pattern] ?? anyPort)",
                        "sources.\(pattern).pattern=\(pattern)",
                    ]
                })
        }

        /// Ends the process by a signal and starts another.
        func restart(by signal: Int32) throws {
            process.signal(signal)
            XCTAssertEqual(process.wait(), signal == SIGKILL ? 128 + SIGKILL : 0)
            process = try Self.start(folder, endpoints: endpoints)
            XCTAssertNotNil(process.line(with: "publishing", in: process.errors))
        }
    }

    /// Waits until a sender has printed so many lines more.
    private func goesOn(_ sender: TestProcess, by count: Int, _ name: String) {
        let before = sender.output.read { $0.lines.count }
        XCTAssertGreaterThanOrEqual(
            sender.lines(before + count).count, before + count, "\(name) \(sender.errors.read { $0.lines.suffix(5) })")
    }

    private func end(_ senders: [(name: String, process: TestProcess)]) throws {
        for sender in senders {
            try sender.process.input.close()
            XCTAssertEqual(sender.process.wait(), 0, "\(sender.name) \(sender.process.errors.read { $0.lines })")
        }
    }

    func testSendersThatCanSurviveADaemonKilledWhileTheyWaitForIt() throws {
        let daemon = try Daemon()
        let senders = [
            ("imagezmq", try python("imagezmq_patient_sender.py", [daemon.endpoints["rep"]!, "1"])),
            (
                "pattern 0",
                try netGear(daemon.endpoints["pair"]!, pattern: 0, count: 0, pause: 0.05, options: Self.patience)
            ),
            (
                "pattern 1",
                try netGear(daemon.endpoints["rep"]!, pattern: 1, count: 0, pause: 0.05, options: Self.patience)
            ),
            ("pattern 2", try netGear(daemon.endpoints["sub"]!, pattern: 2, count: 0, pause: 0.05)),
        ]
        for (name, sender) in senders { goesOn(sender, by: 3, name) }
        daemon.process.signal(SIGSTOP)
        // So that its next request is known to be one that nobody will ever answer.
        XCTAssertNotNil(senders[0].1.line(with: "lost", in: senders[0].1.output))
        try daemon.restart(by: SIGKILL)
        for (name, sender) in senders { goesOn(sender, by: 20, name) }
        XCTAssertNotNil(daemon.process.line(with: "training", in: daemon.process.errors), "what they send arrives")
        try end(senders)
    }

    func testAStopLeavesNoSenderWaiting() throws {
        let daemon = try Daemon()
        let senders = [
            // It pauses for longer than the end of the connection comes after the reply, also on a busy machine, and for
            // less than the quarter of a second of silence that a stop waits for; docs/wire.md.
            ("imagezmq", try python("imagezmq_request_sender.py", [daemon.endpoints["rep"]!, "raw", "0", "0.15"])),
            (
                "pattern 0",
                try netGear(daemon.endpoints["pair"]!, pattern: 0, count: 0, pause: 0.05, options: Self.patience)
            ),
            (
                "pattern 1",
                try netGear(daemon.endpoints["rep"]!, pattern: 1, count: 0, pause: 0.05, options: Self.patience)
            ),
        ]
        for (name, sender) in senders { goesOn(sender, by: 3, name) }
        try daemon.restart(by: SIGTERM)
        for (name, sender) in senders { goesOn(sender, by: 20, name) }
        try end(senders)
    }

    func testAFeedSurvivesADaemonThatIsKilled() throws {
        let daemon = try Daemon()
        let photos = daemon.folder.path + "/photos"
        try FileManager.default.createDirectory(atPath: photos, withIntermediateDirectories: true)
        for number in 0..<10 {
            try Data(Pictures.jpeg).write(to: URL(fileURLWithPath: photos + "/\(number).jpg"))
        }
        let feed = try TestProcess.clusterd(
            ["feed", photos, "--pattern", "req", "--to", daemon.endpoints["rep"]!, "--loop", "0", "--rate", "100"])
        XCTAssertNotNil(daemon.process.line(with: "training", in: daemon.process.errors))
        try daemon.restart(by: SIGKILL)
        XCTAssertNotNil(daemon.process.line(with: "training", in: daemon.process.errors), "what is fed arrives again")
        feed.signal(SIGINT)
        XCTAssertEqual(feed.wait(), 0)
        let lines = feed.errors.read { $0.lines }
        XCTAssertTrue(lines.contains { $0.contains("has closed the connection") }, "\(lines)")
    }

    func testSilenceEndsNothing() throws {
        let silence = ProcessInfo.processInfo.environment["CLUSTERD_TEST_SILENCE"].flatMap(Double.init) ?? 2
        let daemon = try Daemon()
        let senders = [
            (
                "imagezmq",
                try python("imagezmq_request_sender.py", [daemon.endpoints["rep"]!, "raw", "3", "\(silence)"])
            ),
            ("pattern 0", try netGear(daemon.endpoints["pair"]!, pattern: 0, count: 3, pause: silence)),
            ("pattern 1", try netGear(daemon.endpoints["rep"]!, pattern: 1, count: 3, pause: silence)),
            ("pattern 2", try netGear(daemon.endpoints["sub"]!, pattern: 2, count: 3, pause: silence)),
        ]
        for (name, sender) in senders {
            XCTAssertEqual(sender.wait(), 0, name)
            XCTAssertFalse(sender.errors.read { $0.lines }.contains { $0.contains("No response") }, name)
        }
        daemon.process.signal(SIGTERM)
        XCTAssertEqual(daemon.process.wait(), 0)
        // A publisher's first pictures may come before it is connected.
        let admitted = try XCTUnwrap(daemon.process.logged("admitted", with: "stopped:").flatMap { Int($0) })
        XCTAssertTrue((11...12).contains(admitted), "\(admitted)")
    }
}
