// Unmodified vidgear senders: NetGear in all of its patterns and modes, raw and JPEG, and the end of a stream.

import Daemon
import Foundation
import StreamProtocol
import XCTest

final class NetGearClientTests: XCTestCase {
    private func service(_ patterns: [(name: String, pattern: SourceSettings.Pattern)]) throws -> RunningService {
        try RunningService {
            $0.sources = patterns.map {
                SourceSettings(
                    name: $0.name, endpoint: anyPort, pattern: $0.pattern, overload: $0.pattern.usualOverload)
            }
        }
    }

    /// Waits until the service has been told that a sender's stream is at its end.
    private func waitForEnd(of source: String, in running: RunningService) {
        let deadline = MonotonicTime.now.advanced(bySeconds: 30)
        let told: Bool = running.log.wait { log in
            if log.contains(where: { $0.contains("ended its stream") && $0.contains("source=\(source)") }) {
                return .done(true)
            }
            return MonotonicTime.now < deadline ? .wait(until: deadline) : .done(false)
        }
        XCTAssertTrue(told, "\(running.log.read { $0 })")
    }

    func testEveryPatternRawAndJPEG() throws {
        for (pattern, socket) in [SourceSettings.Pattern.pair, .rep, .sub].enumerated() {
            for kind in ["raw", "jpeg"] {
                let running = try service([("gear", socket)])
                // A publisher does not know when it is heard.
                let count = pattern == 2 ? 0 : 10
                let sender = try netGear(
                    running.endpoints.sources[0], pattern: pattern, kind: kind, count: count, pause: 0.02)
                let assignments = try running.assignments(10)
                XCTAssertEqual(Set(assignments.map(\.source)), ["gear"])
                XCTAssertEqual(Set(assignments.map(\.cluster)), [1], "blue is blue in \(kind) by pattern \(pattern)")
                let first = try XCTUnwrap(assignments[0].id.flatMap { Int($0) })
                XCTAssertEqual(assignments.map(\.id), (first..<first + 10).map { "\($0)" })
                try sender.input.close()
                XCTAssertEqual(sender.wait(), 0, "\(sender.errors.read { $0.lines })")
                XCTAssertEqual(running.service.summary.rejected, [:])
                // A publisher closes its socket before its last word has left.
                if pattern < 2 { waitForEnd(of: "gear", in: running) }
            }
        }
    }

    func testItsReplyModes() throws {
        let running = try service([("pair", .pair), ("rep", .rep)])
        let (pair, rep) = (running.endpoints.sources[0], running.endpoints.sources[1])
        let port = try XCTUnwrap(rep.split(separator: ":").last)
        for (endpoint, pattern, options, reply) in [
            (pair, 0, #"{"bidirectional_mode": true}"#, "null"), (rep, 1, #"{"bidirectional_mode": true}"#, "null"),
            (rep, 1, #"{"multiclient_mode": true}"#, #"["\#(port)", null]"#),
            (rep, 1, #"{"multiclient_mode": true, "bidirectional_mode": true}"#, #"["\#(port)", null]"#),
        ] {
            let sender = try netGear(endpoint, pattern: pattern, count: 5, options: options)
            XCTAssertEqual(sender.wait(), 0, "\(options) \(sender.errors.read { $0.lines })")
            XCTAssertEqual(
                sender.output.read { $0.lines }, [String](repeating: reply, count: 5) + ["closed"], options)
            XCTAssertEqual(try running.assignments(5).map(\.id), (0..<5).map { "\($0)" })
        }
    }

    func testSeveralServersAreSeveralSourcesAndEachEndsByItself() throws {
        let running = try service([("front", .rep), ("back", .rep)])
        let options = #"{"multiserver_mode": true}"#
        let back = try netGear(
            running.endpoints.sources[1], pattern: 1, count: 0, pause: 0.05, options: options)
        let front = try netGear(running.endpoints.sources[0], pattern: 1, count: 5, options: options)
        XCTAssertEqual(front.wait(), 0, "\(front.errors.read { $0.lines })")
        waitForEnd(of: "front", in: running)
        let before = back.output.read { $0.lines.count }
        XCTAssertGreaterThanOrEqual(back.lines(before + 5).count, before + 5, "the other goes on")
        try back.input.close()
        XCTAssertEqual(back.wait(), 0, "\(back.errors.read { $0.lines })")
        waitForEnd(of: "back", in: running)
        let sent = back.output.read { $0.lines.count } - 1
        XCTAssertEqual(Set(try running.assignments(5 + sent).map(\.source)), ["front", "back"])
    }
}
