// Messages from senders that are broken or hostile: each is named and counted, and the daemon goes on.

import Daemon
import StreamProtocol
import XCTest

final class ServiceBadInputTests: XCTestCase {
    func testEachBadMessageIsRejectedByNameAndTheDaemonGoesOn() throws {
        let raw = #""format":"raw","dtype":"uint8","shape""#
        let cases: [(message: [[UInt8]], source: String, id: String?, reason: String)] = [
            (message(#"{"v":1,"id":"a"}"#, Array("no image at all".utf8)), "cam", "a", "not-an-image"),
            (message(#"{"v":1,"id":"b"}"#, Array(Pictures.jpeg.prefix(500))), "cam", "b", "truncated-jpeg"),
            (message(#"{"v":1,"id":"c"}"#, Array(Pictures.png.prefix(50))), "cam", "c", "truncated-png"),
            (message(#"{"v":1,"id":"d"}"#, Pictures.bomb), "cam", "d", "too-large"),
            (message(#"{"v":1,"id":"e"}"#, Pictures.onePixel), "cam", "e", "too-small"),
            (message(#"{"v":1,"id":"f",\#(raw):[1,1,3]}"#, [1, 2, 3]), "cam", "f", "too-small"),
            (message(#"{"v":1,"id":"g",\#(raw):[4,4,3]}"#, [1, 2, 3]), "cam", "g", "shape-mismatch"),
            (message(#"{"v":1,"id":"h",\#(raw):[60000,60000,3]}"#, [1]), "cam", "h", "too-many-pixels"),
            (message(#"{"v":1,"id":"i"}"#, []), "cam", "i", "empty-payload"),
            (message("{not json", Pictures.jpeg), "cam", nil, "header-not-json"),
            (message("[1]", Pictures.jpeg), "cam", nil, "header-not-object"),
            ([Pictures.jpeg], "queue", nil, "frame-count"),
            (message("{}", [1]) + [[2], [3]], "cam", nil, "frame-count"),
            ([[UInt8]](repeating: [1], count: 1000), "queue", nil, "too-large"),
            (message(#"{"v":1,"id":"j"}"#, [UInt8](repeating: 0, count: 100_000_000)), "cam", "j", "too-large"),
            (
                [Array("cam".utf8), [UInt8](repeating: 0x20, count: 1 << 20), [1]], "cam", nil, "header-too-large"
            ),
        ]
        let running = try RunningService()
        var sender = try running.sender()
        for (number, bad) in cases.enumerated() {
            try sender.send(bad.message)
            guard case .rejected(let rejected) = try running.next() else { return XCTFail("case \(number)") }
            XCTAssertEqual(rejected.reason, bad.reason, "case \(number)")
            XCTAssertEqual(rejected.id, bad.id, "case \(number)")
            if bad.source == "cam" { XCTAssertEqual(rejected.source, "cam", "case \(number)") }

            try sender.send(greyMessage(number, source: "good"))
            XCTAssertEqual(
                try running.assignments(1)[0].sequence, UInt64(number) + 1, "no number is spent on case \(number)")
        }
        let summary = running.service.stop()
        var expected: [String: UInt64] = [:]
        for bad in cases { expected[bad.reason, default: 0] += 1 }
        XCTAssertEqual(summary.rejected, expected)
        XCTAssertEqual(summary.received, UInt64(2 * cases.count))
        XCTAssertEqual(summary.assigned, UInt64(cases.count))
    }

    func testASenderCanHaveManyBadImagesWithoutTrainingRunningDry() throws {
        let running = try RunningService(batchSize: 4)
        var sender = try running.sender()
        for number in 0..<100 { try sender.send(message(#"{"v":1,"id":"\#(number)"}"#, [1, 2, 3])) }
        for number in 0..<4 { try sender.send(greyMessage(number)) }
        for number in 0..<100 {
            guard case .rejected(let rejected) = try running.next() else { return XCTFail("message \(number)") }
            XCTAssertEqual(rejected.id, "\(number)")
        }
        XCTAssertEqual(try running.assignments(4).count, 4)
        running.training.waitForTrained(1)
    }
}
