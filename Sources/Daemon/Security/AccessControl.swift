// Who gets in: answers libzmq's questions about clients' keys, and counts those who come to nothing.
//
// A thread of its own, since a handshake must wait neither for a turn of images nor for a flood of other handshakes to be
// logged. What cannot be answered is denied, by libzmq itself where this has ended: see Socket.useCurveServer.

import Logging
import ZeroMQ

/// The guard of a context's endpoints. Made and ended by one thread, which owns the sockets too.
final class AccessControl {
    /// Connections that may wait to be accepted, each for microseconds.
    private static let backlog = 1024

    /// Until `stop`: whoever holds it keeps the context, and with it the endpoints' ports, from ending.
    private var context: ZeroMQContext?
    private let settings: GatewaySettings
    private let wakeup: Wakeup
    private var loop: AccessLoop?
    private var thread: WorkerThread?

    /// Opens the handler of authentication requests; nothing is answered before `start`.
    ///
    /// - Parameters:
    ///   - settings: how each endpoint is encrypted.
    ///   - list: who may connect to which.
    ///   - failures: counts those who come to nothing.
    /// - Throws: `ZeroMQError`.
    init(
        context: ZeroMQContext, settings: GatewaySettings, list: Monitor<[String: AllowedClients]>,
        failures: HandshakeFailures, logger: Logger
    ) throws(ZeroMQError) {
        self.context = context
        self.settings = settings
        wakeup = try Wakeup()
        loop = AccessLoop(
            handler: try ZAPHandler(context: context), wakeup: wakeup, list: list, failures: failures, logger: logger)
    }

    deinit { stop() }

    /// Sets what all endpoints' sockets have in common, before a socket is bound or connected: encryption where the endpoint
    /// has it, and limits for those who are not known yet.
    ///
    /// - Throws: `ZeroMQError`.
    func protect(_ socket: inout Socket, endpoint name: String) throws(ZeroMQError) {
        guard thread == nil, let context else { preconditionFailure("the sockets come first") }
        try socket.set(.handshakeInterval, settings.handshakeTime)
        try socket.set(.backlog, Self.backlog)
        try socket.setKeepalive()
        switch settings.security[name] {
        case .server(let keys, _): try socket.useCurveServer(keys, domain: name)
        case .client(let server, let keys): try socket.useCurve(CurveClient(serverKey: server, keys: keys))
        case nil: break
        }
        loop?.watch(try SocketMonitor(socket, context: context), endpoint: name)
    }

    /// Begins to answer.
    func start() {
        guard thread == nil, let loop else { return }
        let thread = WorkerThread(name: "access") { loop.run() }
        self.thread = thread
        thread.start()
    }

    /// Lets nobody in any more and lets go of the context; the endpoints' sockets have been closed before. Harmless at any
    /// time.
    func stop() {
        loop?.stop()
        thread?.join()
        thread = nil
        loop = nil
        context = nil
    }
}

extension Socket {
    /// Has TCP notice within half a minute that a peer has gone without a word, such as one that has lost its power: it would
    /// otherwise keep the only place of a PAIR socket for hours.
    ///
    /// Not ZMTP's heartbeats: a socket that is not read, to make senders wait, does not see their answers either, and would
    /// give up connections with images on them.
    fileprivate mutating func setKeepalive() throws(ZeroMQError) {
        try set(.tcpKeepalive, true)
        try set(.keepaliveIdleSeconds, 15)
        try set(.keepaliveIntervalSeconds, 5)
        try set(.keepaliveProbes, 3)
    }
}
