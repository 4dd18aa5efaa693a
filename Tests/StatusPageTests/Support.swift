// A source of made-up news, a server for it on a port that the system picks, and a client that speaks bytes.

import Foundation
import HTTPTestClient
import StreamProtocol
import Synchronization
import XCTest

import StatusPage

/// A daemon that is none.
final class FakeSource: PageSource {
    struct State: Sendable {
        var readers: [Int] = []
        var performed: [ControlRequest] = []
        var replies: [@Sendable ([[UInt8]]) -> Void] = []
        var answer: [[UInt8]]? = ControlReply(["done": .bool(true)]).frames
        /// What every tick brings, and what only the next does.
        var events: [PageEvent] = []
        var once: [PageEvent] = []
        var illness: String?
        var isReady = true
    }

    let state = Mutex(State())

    func tick(readers: Int) -> [PageEvent] {
        state.withLock { state in
            state.readers.append(readers)
            defer { state.once = [] }
            return state.events + state.once
        }
    }
    func welcome() -> [PageEvent] { [PageEvent("hello", .object(["who": .string("line\nend")]))] }
    func picture(_ id: UInt64) -> [UInt8]? { id == 7 ? [0xFF, 0xD8, 1, 2] : nil }
    func document(_ document: PageDocument) -> JSON { .object(["which": .string(document.rawValue)]) }
    func perform(_ request: ControlRequest, reply: @escaping @Sendable ([[UInt8]]) -> Void) {
        let answer: [[UInt8]]? = state.withLock { state in
            state.performed.append(request)
            if state.answer == nil { state.replies.append(reply) }
            return state.answer
        }
        if let answer { reply(answer) }
    }
    var illness: String? { state.withLock { $0.illness } }
    var isReady: Bool { state.withLock { $0.isReady } }

    var performed: [ControlRequest] { state.withLock { $0.performed } }
}

/// A server that is running.
final class RunningServer {
    let source = FakeSource()
    let server: StatusServer
    private let thread: Thread
    private let ended = DispatchSemaphore(value: 0)

    init(
        token: String? = nil, change: (inout HTTPServerLimits) -> Void = { _ in },
        metrics: (@Sendable () -> String)? = nil
    ) throws {
        var limits = HTTPServerLimits()
        limits.tickMilliseconds = 20
        change(&limits)
        server = try StatusServer(
            host: "127.0.0.1", port: 0, token: token, source: source, metrics: metrics, limits: limits)
        let (server, ended) = (server, ended)
        thread = Thread {
            server.run()
            ended.signal()
        }
        thread.start()
    }

    func stop() {
        server.stop()
        ended.wait()
        ended.signal()
    }

    deinit { stop() }

    var port: UInt16 { UInt16(server.address.split(separator: ":").last ?? "") ?? 0 }

    func client() throws -> Client { try Client(port: port) }

    /// The answer to a request on a connection of its own.
    func ask(
        _ method: String = "GET", _ path: String, host: String = "127.0.0.1", _ fields: [String: String] = [:],
        body: String = ""
    ) throws -> Answer {
        let client = try client()
        client.send(Client.request(method, path, host: host, fields, body: body))
        return try client.answer(to: method)
    }
}

extension XCTestCase {
    /// Waits until something is so, which a thread of the server brings about.
    func eventually(_ what: String, _ isSo: () throws -> Bool) rethrows {
        let deadline = Date(timeIntervalSinceNow: 60)
        while Date() < deadline {
            if try isSo() { return }
            usleep(2000)
        }
        XCTFail("not in a minute: \(what)")
    }
}
