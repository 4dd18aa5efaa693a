// A small HTTP/1.1 server: one thread, poll(2), and a bound on what any client can have of it.
//
// It serves one page to a few people and counters to a collector, beside a daemon that has better things to do. So a client
// that is slow, silent or one too many is let go, memory is bounded by the limits below, and nothing here waits for anyone
// but in poll. Answers that take long come from other threads through `Replier`.

import Synchronization

/// Bounds on clients.
package struct HTTPServerLimits: Sendable {
    /// Connections; of more, one that is idle makes room, or the new one is refused.
    package var connections = 64
    /// Those among them that are sent events.
    package var streams = 16
    /// Bytes that a client may have yet to take.
    package var pendingBytes = 4 << 20
    /// Milliseconds in which a request has to come whole.
    package var requestMilliseconds = 10_000
    /// Milliseconds that a connection is kept without a request.
    package var idleMilliseconds = 60_000
    /// Milliseconds in which a client has to take something of what there is for it.
    package var stallMilliseconds = 15_000
    /// Milliseconds between two ticks.
    package var tickMilliseconds = 1000
    /// Bounds on a request.
    package var request = HTTPRequestLimits()

    /// The bounds that the page uses.
    package init() {}
}

/// The server; `run` is its thread, all else may be called from any.
package final class HTTPServer: Sendable {
    /// Takes the answer to a request that was answered later; the first counts.
    package typealias Replier = @Sendable (HTTPResponse) -> Void

    /// What becomes of a request.
    package enum Answer {
        /// This is the answer.
        case now(HTTPResponse)
        /// The answer will be given to the replier, which is called once, on any thread.
        case later((@escaping Replier) -> Void)
        /// The answer goes on for as long as the client stays: `first`, then what every tick brings.
        case stream(HTTPResponse, first: [UInt8])
    }

    /// What the server asks; called on its thread.
    package struct Handlers: Sendable {
        /// Answers a request.
        package var answer: @Sendable (HTTPRequest) -> Answer
        /// What a refused client is told.
        package var refuse: @Sendable (HTTPRefusal) -> HTTPResponse
        /// Called at every tick with the number of streams; what it returns is sent to each of them.
        package var tick: @Sendable (_ streams: Int) -> [UInt8]

        /// Puts handlers together.
        package init(
            answer: @escaping @Sendable (HTTPRequest) -> Answer,
            refuse: @escaping @Sendable (HTTPRefusal) -> HTTPResponse,
            tick: @escaping @Sendable (_ streams: Int) -> [UInt8]
        ) {
            self.answer = answer
            self.refuse = refuse
            self.tick = tick
        }
    }

    private struct Mailbox: Sendable {
        var replies: [(connection: UInt64, response: HTTPResponse)] = []
        var isStopping = false
    }

    /// The address that it listens at.
    package let address: String
    private let listener: Mutex<HTTPListener?>
    private let handlers: Handlers
    private let limits: HTTPServerLimits
    private let mailbox = Mutex(Mailbox())
    private let wakeup = HTTPWakeup()

    /// Listens; nobody is answered until `run`.
    package init(
        host: String, port: Int, limits: HTTPServerLimits = HTTPServerLimits(), handlers: Handlers
    ) throws(HTTPListenError) {
        let listener = try HTTPListener(host: host, port: port)
        address = listener.address
        self.listener = Mutex(listener)
        self.handlers = handlers
        self.limits = limits
    }

    /// Has `run` return soon, every connection closed. Harmless at any time.
    package func stop() {
        mailbox.withLock { $0.isStopping = true }
        wakeup.wake()
    }

    /// Serves until `stop`.
    package func run() {
        guard let listener = listener.withLock({ $0.take() }) else { return }
        var loop = HTTPServerLoop(
            listener: listener, wakeup: wakeup, handlers: handlers, limits: limits,
            replier: { [weak self] connection in
                { [weak self] response in self?.reply(response, to: connection) }
            })
        while true {
            let (replies, isStopping) = mailbox.withLock { mailbox in
                defer { mailbox.replies = [] }
                return (mailbox.replies, mailbox.isStopping)
            }
            for (connection, response) in replies { loop.finish(connection, response) }
            if isStopping { break }
            loop.turn()
        }
        loop.closeAll()
    }

    private func reply(_ response: HTTPResponse, to connection: UInt64) {
        mailbox.withLock { $0.replies.append((connection, response)) }
        wakeup.wake()
    }
}
