// The control endpoint's socket: requests out to whoever answers them, answers back to whoever asked.
//
// It belongs to the Gateway's thread once that runs, and waits for nobody: an answer to a client that has gone, or does not
// read, is dropped.

import ZeroMQ

/// The ROUTER socket of the control endpoint.
final class ControlPort {
    /// Where it listens, its port resolved.
    let endpoint: String
    private var socket: Socket?
    private let onRequest: @Sendable (ReceivedMessage) -> Void

    /// The bytes of one frame beyond which ZeroMQ cuts the client off; what is merely too large is received and answered.
    private static let hardFrameLimit = 4 << 20
    /// Messages of one client that may wait on either side; an answer may have a MiB.
    private static let highWaterMark = 64
    /// How many requests are read before the sources' turn.
    private static let turn = 64

    /// Opens the socket.
    ///
    /// - Parameter onRequest: takes each message; called on the Gateway's thread, it must not wait.
    /// - Throws: `ZeroMQError` with the endpoint.
    init(
        endpoint: String, context: ZeroMQContext, access: AccessControl,
        onRequest: @escaping @Sendable (ReceivedMessage) -> Void
    ) throws(ZeroMQError) {
        var socket = try context.socket(.router)
        try socket.set(.maxMessageSize, Self.hardFrameLimit)
        try socket.set(.receiveHighWaterMark, Self.highWaterMark)
        try socket.set(.sendHighWaterMark, Self.highWaterMark)
        try socket.set(.linger, .seconds(1))
        try access.protect(&socket, endpoint: GatewaySettings.controlName)
        self.endpoint = try socket.bind(endpoint)
        self.socket = consume socket
        self.onRequest = onRequest
    }

    /// Has the poller wait for requests.
    func watch(in poller: inout Poller) -> Poller.Token { poller.add(socket!, for: .readable) }

    /// Passes on the requests that are there.
    func readRequests() throws(ZeroMQError) {
        for _ in 0..<Self.turn {
            guard let message = try socket?.tryReceive(limits: ControlDesk.limits) else { return }
            onRequest(message)
        }
    }

    /// Sends an answer, its envelope in front.
    func send(_ answer: [[UInt8]]) throws(ZeroMQError) { _ = try socket?.trySend(answer) }

    /// Closes the socket; what is queued is still sent for a moment.
    func close() { socket = nil }
}
