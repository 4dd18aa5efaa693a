// Clients that are many, slow, silent, rude or gone: none may hold up another, and none may have more than its share.

import HTTPTestClient
import StreamProtocol
import XCTest

import StatusPage

final class ClientTests: XCTestCase {
    private static let events = Client.request("GET", "/events")

    func testEventsGoToEveryReader() throws {
        let running = try RunningServer()
        let readers = try (0..<5).map { _ in try running.client() }
        for reader in readers { reader.send(Self.events) }
        for reader in readers {
            let first = try reader.wait(for: "\n\n" + "event: hello\ndata: {\"who\":\"line\\nend\"}\n\n")
            XCTAssertTrue(first.contains("content-type: text/event-stream"))
        }
        running.source.state.withLock { $0.events = [PageEvent("status", .object(["n": .integer(1)]))] }
        for reader in readers { try reader.wait(for: "event: status\ndata: {\"n\":1}\n\n") }
        eventually("five readers are known") { running.source.state.withLock { $0.readers.last == 5 } }
    }

    func testReadersThatLeaveMakeRoom() throws {
        let running = try RunningServer { $0.streams = 2 }
        do {
            let readers = try (0..<2).map { _ in try running.client() }
            for reader in readers {
                reader.send(Self.events)
                try reader.wait(for: "hello")
            }
            XCTAssertEqual(try running.ask("GET", "/events").status, 503)
            XCTAssertEqual(try running.ask("GET", "/").status, 200)
            withExtendedLifetime(readers) {}
        }
        eventually("nobody reads any more") { running.source.state.withLock { $0.readers.last == 0 } }
        let next = try running.client()
        next.send(Self.events)
        try next.wait(for: "hello")
    }

    func testAReaderThatTakesNothingIsLetGoAndOthersDoNotNotice() throws {
        let running = try RunningServer {
            $0.pendingBytes = 300_000
            $0.stallMilliseconds = 600_000
        }
        let slow = try Client(port: running.port, receiveBuffer: 4096)
        slow.send(Self.events)
        let reader = try running.client()
        reader.send(Self.events)
        try reader.wait(for: "hello")
        eventually("both are there") { running.source.state.withLock { $0.readers.last == 2 } }
        let news = PageEvent("news", .string(String(repeating: "x", count: 100_000)))
        // One after another, so that only the other lets them pile up.
        func pass() throws {
            running.source.state.withLock { $0.once = [news] }
            try reader.wait(for: "x\"\n\n")
        }
        for _ in 0..<200 where running.source.state.withLock({ $0.readers.last != 1 }) { try pass() }
        XCTAssertEqual(running.source.state.withLock { $0.readers.last }, 1)
        try pass()
        withExtendedLifetime(slow) {}
    }

    func testAReaderThatHasStalledIsLetGo() throws {
        let running = try RunningServer { $0.stallMilliseconds = 100 }
        let slow = try Client(port: running.port, receiveBuffer: 4096)
        slow.send(Self.events)
        eventually("it is there") { running.source.state.withLock { $0.readers.last == 1 } }
        let news = PageEvent("news", .string(String(repeating: "x", count: 60_000)))
        running.source.state.withLock { $0.events = [news] }
        eventually("it is gone") { running.source.state.withLock { $0.readers.last == 0 } }
        withExtendedLifetime(slow) {}
    }

    func testARequestHasToComeInTime() throws {
        let running = try RunningServer { $0.requestMilliseconds = 150 }
        let slow = try running.client()
        slow.send("GET / HTTP/1.1\r\nHost: localhost\r\n")
        let other = try running.client()
        other.send(Client.request("GET", "/"))
        XCTAssertEqual(try other.answer().status, 200)
        XCTAssertEqual(try slow.rest(), "")
        // A connection that nothing has come on is kept for longer.
        other.send(Client.request("GET", "/readyz"))
        XCTAssertEqual(try other.answer().status, 200)
    }

    func testASilentConnectionIsKeptForAWhile() throws {
        let running = try RunningServer { $0.idleMilliseconds = 150 }
        let silent = try running.client()
        XCTAssertEqual(try silent.rest(), "")
    }

    func testANewConnectionTakesThePlaceOfAnIdleOne() throws {
        let running = try RunningServer { $0.connections = 3 }
        let readers = try (0..<2).map { _ in try running.client() }
        for reader in readers {
            reader.send(Self.events)
            try reader.wait(for: "hello")
        }
        let idle = try running.client()
        idle.send(Client.request("GET", "/readyz"))
        XCTAssertEqual(try idle.answer().status, 200)
        let next = try running.client()
        next.send(Client.request("GET", "/readyz"))
        XCTAssertEqual(try next.answer().status, 200)
        XCTAssertEqual(try idle.rest(), "")
        next.send(Self.events)
        try next.wait(for: "hello")
        // All three read: there is no room for anybody.
        let refused = try running.client()
        XCTAssertTrue(try refused.rest().hasPrefix("HTTP/1.1 503"))
        withExtendedLifetime((readers, next)) {}
    }

    func testAThousandConnectionsThatSayNothing() throws {
        let running = try RunningServer()
        let idle = try (0..<500).map { _ in try running.client() }
        for _ in 0..<5 { XCTAssertEqual(try running.ask("GET", "/readyz").status, 200) }
        withExtendedLifetime(idle) {}
    }

    func testRequestsOneAfterAnotherInOnePiece() throws {
        let running = try RunningServer()
        let client = try running.client()
        client.send(
            Client.request("GET", "/readyz") + Client.request("GET", "/nothing")
                + Client.request("GET", "/app.js", ["Connection": "close"]))
        XCTAssertEqual(try client.answer().status, 200)
        XCTAssertEqual(try client.answer().status, 404)
        let last = try client.answer()
        XCTAssertEqual(last.body.count, Asset.all["/app.js"]?.body.count)
        XCTAssertEqual(last.fields["connection"], "close")
        XCTAssertEqual(try client.rest(), "")
    }

    func testAnAnswerThatTakesLongHoldsUpNobody() throws {
        let running = try RunningServer()
        running.source.state.withLock { $0.answer = nil }
        let patient = try running.client(), gone = try running.client()
        for client in [patient, gone] {
            client.send(
                Client.request("POST", "/api/save", ["X-Clusterd-Action": "save"])
                    + Client.request("GET", "/readyz"))
        }
        eventually("both have come") { running.source.performed.count == 2 }
        XCTAssertEqual(try running.ask("GET", "/readyz").status, 200)
        shutdown(gone.file, Int32(SHUT_RDWR))
        XCTAssertEqual(try running.ask("GET", "/readyz").status, 200)
        for reply in running.source.state.withLock({ $0.replies }) { reply([Array(#"{"ok":true,"late":1}"#.utf8)]) }
        XCTAssertEqual(try patient.answer().text, #"{"ok":true,"late":1}"#)
        XCTAssertEqual(try patient.answer().text, "ok\n")
    }

    func testWhatIsNoHTTPIsToldSoAndLetGo() throws {
        let running = try RunningServer()
        let client = try running.client()
        client.send("\u{16}\u{3}\u{1}\u{2}\u{0}\r\n\r\n")
        XCTAssertTrue(try client.rest().hasPrefix("HTTP/1.1 400"))
        XCTAssertEqual(try running.ask("GET", "/readyz").status, 200)
    }

    func testAnEndlessHeaderIsCutOff() throws {
        let running = try RunningServer()
        let client = try running.client()
        client.send("GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 1 << 20))
        XCTAssertTrue(try client.rest().hasPrefix("HTTP/1.1 431"))
    }

    func testStoppingEndsEverything() throws {
        let running = try RunningServer()
        let reader = try running.client()
        reader.send(Self.events)
        try reader.wait(for: "hello")
        let port = running.port
        running.stop()
        _ = try reader.rest()
        XCTAssertThrowsError(try Client(port: port))
        running.stop()
    }

    func testAnAddressThatIsTakenIsNamed() throws {
        let running = try RunningServer()
        XCTAssertThrowsError(
            try StatusServer(host: "127.0.0.1", port: Int(running.port), token: nil, source: FakeSource())
        ) { XCTAssertTrue("\($0)".contains("cannot listen at 127.0.0.1:\(running.port)"), "\($0)") }
    }
}
