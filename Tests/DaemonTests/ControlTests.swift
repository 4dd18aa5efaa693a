// The control endpoint over real sockets: what is answered, and that whatever is sent gets an answer.

import Daemon
import Foundation
import StreamProtocol
import XCTest
import ZeroMQ

final class ControlTests: XCTestCase {
    func testStatusCountsWhatHasHappened() throws {
        let running = try RunningService(batchSize: 4)
        var sender = try running.sender()
        for number in 0..<8 { try sender.send(greyMessage(number)) }
        _ = try running.assignments(8)
        try sender.send(message(#"{"v":1}"#, [1, 2, 3], source: "broken"))
        running.training.waitForTrained(2)
        guard case .rejected = try running.next() else { return XCTFail("no rejection") }
        let client = try running.controlClient()
        var status = try client.ask("status")
        // What an assignment is counted in follows its publishing.
        for _ in 0..<500 where status["assigning.images"] != JSON(8) {
            _ = try running.nextHeartbeat()
            status = try client.ask("status")
        }
        XCTAssertEqual(status["assigning.seq"]?.integer(), 8)
        XCTAssertEqual(status["assigning.images"]?.integer(), 8)
        XCTAssertEqual(status["sources.cam.admitted"]?.integer(), 8)
        XCTAssertEqual(status["sources.broken.rejected.not-an-image"]?.integer(), 1)
        XCTAssertEqual(status["queues"]?.elements?.count, 2)
        XCTAssertEqual(status["version"], .string(clusterdVersion))
    }

    func testWhateverIsSentIsAnswered() throws {
        let running = try RunningService()
        let client = try running.controlClient()
        let bodies: [(String, code: String)] = [
            ("", "malformed"), ("status", "malformed"), ("[]", "malformed"), ("{}", "malformed"),
            (#"{"op":1}"#, "malformed"), (#"{"op":null}"#, "malformed"), ("{\"op\":\"\u{0}\"}", "malformed"),
            (#"{"op":""}"#, "unknown-op"), (#"{"op":"statsu"}"#, "unknown-op"),
            (#"{"op":"\#(String(repeating: "x", count: 10_000))"}"#, "unknown-op"),
            (String(repeating: "[", count: 10_000), "malformed"),
            (#"{"op":"status","x":"\#(String(repeating: "x", count: 17_000))"}"#, "too-large"),
            (String(repeating: "x", count: 3 << 20), "too-large"),
        ]
        for (body, code) in bodies {
            XCTAssertEqual(try client.refusal(of: [Array(body.utf8)]), code, String(body.prefix(60)))
        }
        XCTAssertEqual(try client.refusal(of: [[0xFF, 0xFE]]), "malformed")
        XCTAssertEqual(try client.refusal(of: [[], []]), "malformed")
        let status = ControlRequest("status").frame
        XCTAssertEqual(try client.refusal(of: [status, status]), "malformed")
        XCTAssertEqual(try client.refusal(of: Array(repeating: status, count: 20)), "too-large")
        XCTAssertNotNil(try client.ask("status")["version"], "the endpoint still answers")
    }

    func testADealerMayLeaveTheEmptyFrameOut() throws {
        let running = try RunningService()
        let client = try running.controlClient(.dealer)
        let status = ControlRequest("status").frame
        try client.send([status])
        XCTAssertNotNil(try ControlReply(frames: client.receive())["version"])
        try client.send([[], status])
        let delimited = try client.receive()
        XCTAssertEqual(delimited.first, [])
        XCTAssertNotNil(try ControlReply(frames: Array(delimited.dropFirst()))["version"])
        XCTAssertEqual(try client.refusal(of: [Array("x".utf8)]), "malformed")
        XCTAssertEqual(try client.refusal(of: [status, status]), "malformed")
    }

    func testAnUnknownOperationIsToldWithTheNearest() throws {
        let running = try RunningService()
        let client = try running.controlClient()
        XCTAssertThrowsError(try client.ask("statuss")) {
            XCTAssertEqual(
                "\($0)", "there is no operation \"statuss\"; did you mean status? (unknown-op)")
        }
    }
}
