// The door of the daemon: one thread that owns every ZeroMQ socket, the sources' and the publisher's.
//
// ZeroMQ sockets belong to one thread, so all others talk to this one: images leave through `queues`, what is to be
// published comes in through `outbox`. Nothing is decoded here and nothing is numbered.

import Logging
import StreamProtocol
import ZeroMQ

/// The daemon's ZeroMQ sockets and the thread that serves them. It runs once: `start`, `stopInput`, `finish`.
package final class Gateway: Sendable {
    /// Where the sockets listen or connect, with the ports that the system chose.
    package struct Endpoints: Sendable, Equatable {
        /// The sources' endpoints, in the order of the configuration.
        package var sources: [String]
        /// The publisher's endpoint.
        package var publisher: String
        /// The control endpoint, where there is one.
        package var control: String?
    }

    /// Admitted images, to be taken by decoding workers. To be closed after `stopInput`.
    package let queues: IngressQueues
    /// What is to be published.
    package let outbox: Outbox
    /// Answers to control requests, each with its request's envelope in front.
    package let answers: Outbox
    /// What became of each sender's messages.
    package let statistics: StreamStatistics
    /// Who came to an endpoint and did not get in.
    package let handshakeFailures = HandshakeFailures()
    /// Who may connect to which encrypted endpoint.
    let allowedClients: Monitor<[String: AllowedClients]>
    /// What its thread is at.
    package let mark = WorkMark("reading the sources")
    let wakeup: Wakeup
    let logger: Logger
    let control = Monitor(GatewayControl())
    private let settings: GatewaySettings

    /// Creates a gateway without sockets.
    ///
    /// - Throws: `ZeroMQError` where the process has no file descriptors left.
    package init(settings: GatewaySettings, logger: Logger) throws(ZeroMQError) {
        let wakeup = try Wakeup()
        self.wakeup = wakeup
        self.settings = settings
        self.logger = logger
        allowedClients = Monitor(settings.allowedClients)
        queues = IngressQueues(
            sources: settings.sources, limits: settings.queueLimits,
            largestImage: settings.messageLimits.maxMessageBytes, onRoom: { wakeup.signal() })
        outbox = Outbox(onFirst: { wakeup.signal() })
        answers = Outbox(onFirst: { wakeup.signal() })
        statistics = StreamStatistics(names: settings.sources.map(\.name))
    }

    /// Opens every socket, then starts the thread; a second call only returns the endpoints.
    ///
    /// - Parameters:
    ///   - heartbeat: makes the frames of the heartbeat; called on the gateway's thread, it must not wait.
    ///   - onRequest: takes what arrives at the control endpoint; called on that thread too. Answers go to `answers`.
    /// - Throws: `ZeroMQError` with the endpoint, such as for a port in use; no socket is open and no thread runs then.
    package func start(
        heartbeat: @escaping @Sendable () -> [[UInt8]],
        onRequest: @escaping @Sendable (ReceivedMessage) -> Void = { _ in }
    ) throws -> Endpoints {
        try control.withLock { control in
            if let endpoints = control.endpoints { return endpoints }
            let loop = try GatewayLoop(gateway: self, settings: settings, heartbeat: heartbeat, onRequest: onRequest)
            let thread = WorkerThread(name: "gateway") { loop.run() }
            control.endpoints = loop.endpoints
            control.thread = thread
            thread.start()
            return loop.endpoints
        }
    }

    /// Reads what PUSH senders had already sent, closes the sources and waits until that is done: no image is admitted after
    /// it. Harmless at any time.
    package func stopInput() {
        guard control.read({ $0.thread }) != nil else { return }
        control.withLock { $0.stopsInput = true }
        wakeup.signal()
        control.wait { control in control.inputIsStopped ? .done(()) : .wait(until: nil) }
    }

    /// Takes other lists of who may connect from now on; who is connected stays so. An encrypted endpoint that is missing lets
    /// nobody in.
    package func setAllowedClients(_ clients: [String: AllowedClients]) { allowedClients.withLock { $0 = clients } }

    /// Stops the input, publishes what is in the outbox, gives connected subscribers a bounded time to take it, closes
    /// every socket and waits for the thread to end. Harmless at any time.
    package func finish() {
        guard let thread = control.read({ $0.thread }) else { return }
        control.withLock { $0.finishes = true }
        wakeup.signal()
        thread.join()
        // The thread's work holds this gateway, and whatever answers its requests.
        control.withLock { $0.thread = nil }
    }
}
