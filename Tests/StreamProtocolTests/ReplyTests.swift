// Replies: in each dialect what its senders make of them.

import Foundation
import StreamProtocol
import XCTest

final class ReplyTests: XCTestCase {
    private let refused = Reply.refused(reason: "shape-mismatch", detail: "[2, 2] and a \"payload\" of 3 bytes")

    private func object(_ frame: [UInt8]) throws -> NSDictionary {
        try XCTUnwrap(JSONSerialization.jsonObject(with: Data(frame)) as? NSDictionary)
    }

    func testImageZMQsAreText() {
        XCTAssertEqual(text(Reply.admitted.frame(in: .imagezmq, port: "5555")), "OK")
        XCTAssertEqual(text(refused.frame(in: .imagezmq, port: "5555")), "rejected: shape-mismatch")
    }

    func testNetGearsHaveWhatAllItsModesRead() throws {
        XCTAssertEqual(
            text(Reply.admitted.frame(in: .netgear, port: "5555")),
            #"{"port":"5555","return_type":"NoneType","data":null}"#)
        XCTAssertEqual(
            try object(refused.frame(in: .netgear, port: "5555")),
            ["port": "5555", "return_type": "str", "data": "rejected: shape-mismatch"])
    }

    func testAllOthersAreThoseOfTheControlEndpoint() throws {
        for dialect in [Dialect.clusterd, .auto, nil] {
            XCTAssertEqual(text(Reply.admitted.frame(in: dialect, port: "5555")), #"{"ok":true}"#)
            XCTAssertEqual(
                try object(refused.frame(in: dialect, port: "5555")),
                [
                    "ok": false,
                    "error": ["code": "shape-mismatch", "message": "[2, 2] and a \"payload\" of 3 bytes"],
                ])
        }
    }

    func testASenderReadsWhatTheDaemonSays() {
        for reply in [Reply.admitted, refused] {
            XCTAssertEqual(Reply(frame: reply.frame(in: .clusterd, port: "5555")), reply)
        }
        XCTAssertEqual(Reply(frame: Array(#"{"ok":false}"#.utf8)), .refused(reason: "unknown", detail: ""))
        for other in ["OK", "", "{}", "[false]", #"{"ok":1}"#] {
            XCTAssertEqual(Reply(frame: Array(other.utf8)), .admitted, other)
        }
    }
}
