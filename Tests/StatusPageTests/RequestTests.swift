// Requests as bytes: those that are read, those that are refused, and those that have not come whole.

import XCTest

import StatusPage

final class RequestTests: XCTestCase {
    private func parse(_ text: String, limits: HTTPRequestLimits = HTTPRequestLimits()) throws -> HTTPRequest? {
        try HTTPRequest.parse(Array(text.utf8), limits: limits)?.request
    }

    private func refusal(_ text: String, limits: HTTPRequestLimits = HTTPRequestLimits()) -> Int? {
        do {
            _ = try parse(text, limits: limits)
            return nil
        } catch {
            return (error as? HTTPRefusal)?.status.code
        }
    }

    func testARequestIsReadWhole() throws {
        let text =
            "POST /api/reload?x=1 HTTP/1.1\r\nHost: localhost:80\r\nX-One:  two words \t\r\nContent-Length: 4\r\n\r\nbodyGET"
        let (request, bytes) = try XCTUnwrap(try HTTPRequest.parse(Array(text.utf8)))
        XCTAssertEqual(request.method, "POST")
        XCTAssertEqual(request.path, "/api/reload")
        XCTAssertEqual(request.value(of: "x-one"), "two words")
        XCTAssertEqual(request.body, Array("body".utf8))
        XCTAssertEqual(bytes, text.utf8.count - 3)
        XCTAssertTrue(request.keepsAlive)
    }

    func testARequestThatComesInPiecesIsWaitedFor() throws {
        let text = "POST /api/save HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
        let bytes = Array(text.utf8)
        for length in bytes.indices { XCTAssertNil(try HTTPRequest.parse(Array(bytes.prefix(length))), "\(length)") }
        XCTAssertNotNil(try parse(text))
    }

    func testWhenAConnectionStaysOpen() throws {
        func keepsAlive(_ version: String, _ connection: String) throws -> Bool? {
            try parse("GET / HTTP/\(version)\r\nHost: a\r\n\(connection)\r\n")?.keepsAlive
        }
        XCTAssertEqual(try keepsAlive("1.1", ""), true)
        XCTAssertEqual(try keepsAlive("1.1", "Connection: Close\r\n"), false)
        XCTAssertEqual(try keepsAlive("1.0", ""), false)
        XCTAssertEqual(try keepsAlive("1.0", "Connection: keep-alive\r\n"), true)
    }

    func testMalformedRequestsAreRefused() {
        for text in [
            "GET /\r\nHost: a\r\n\r\n", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\u{0}\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n1",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n1",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n1", "\r\n\r\n",
        ] {
            XCTAssertEqual(refusal(text), 400, text)
        }
        XCTAssertEqual(refusal("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505)
        XCTAssertEqual(refusal("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), 501)
    }

    func testWhatIsTooLargeIsRefusedBeforeItIsThere() {
        let limits = HTTPRequestLimits()
        let head = "GET / HTTP/1.1\r\nHost: a\r\n"
        XCTAssertEqual(refusal(head + "X: " + String(repeating: "x", count: limits.headBytes)), 431)
        XCTAssertEqual(refusal(head + "X: " + String(repeating: "x", count: limits.headBytes) + "\r\n\r\n"), 431)
        XCTAssertEqual(refusal(head + String(repeating: "x: y\r\n", count: limits.fields) + "\r\n"), 431)
        XCTAssertEqual(refusal(head + "Content-Length: \(limits.bodyBytes + 1)\r\n\r\n"), 413)
        XCTAssertEqual(refusal(head + "Content-Length: 99999999999999999999999\r\n\r\n"), 413)
    }
}
