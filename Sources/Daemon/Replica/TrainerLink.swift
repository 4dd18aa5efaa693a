// What a replica hears of the daemon that it follows: one socket, for announcements and signs of life.

import StreamProtocol
import ZeroMQ

/// A subscription to another daemon's publisher; it belongs to one thread.
struct TrainerLink: ~Copyable {
    /// What came in a while.
    struct News {
        /// Whether anything came.
        var isAnything = false
        /// Whether the connection has been made, or made anew.
        var isConnected = false
        /// Why the trainer does not talk to this replica.
        var handshakeFailure: HandshakeFailure?
        /// The last announcement.
        var announced: CheckpointMessage?
        /// Messages that were none.
        var malformed: MalformedMessage?
    }

    private let context: ZeroMQContext
    private var socket: Socket
    private var monitor: SocketMonitor
    private var poller: Poller

    /// Connects, or begins to.
    ///
    /// - Parameter stop: a descriptor that ends a wait when it becomes readable.
    /// - Throws: `ZeroMQError`, such as for a malformed endpoint.
    init(_ endpoint: String, curve: CurveClient?, stop: Int32) throws(ZeroMQError) {
        let context = try ZeroMQContext(linger: .zero)
        var socket = try context.socket(.sub)
        try socket.set(.receiveHighWaterMark, 1000)
        try socket.set(.maxMessageSize, 1 << 20)
        try socket.set(.reconnectInterval, .milliseconds(100))
        try socket.set(.maxReconnectInterval, .seconds(5))
        if let curve { try socket.useCurve(curve) }
        for topic in [CheckpointMessage.topic, HeartbeatMessage.topic] {
            try socket.set(.subscribe, Array(topic.utf8))
        }
        let monitor = try SocketMonitor(socket, context: context)
        var poller = Poller()
        _ = poller.add(socket, for: .readable)
        _ = monitor.add(to: &poller)
        _ = poller.add(descriptor: stop, for: .readable)
        try socket.connect(endpoint)
        self.context = context
        self.socket = socket
        self.monitor = monitor
        self.poller = poller
    }

    /// Waits for messages, and reads all that are there.
    mutating func next(timeout: Duration) throws(ZeroMQError) -> News {
        _ = try poller.wait(timeout: timeout)
        var news = News()
        while let event = try monitor.next() {
            switch event {
            case .connected: news.isConnected = true
            case .disconnected: break
            case .handshakeFailed(let reason): news.handshakeFailure = reason
            }
        }
        while let message = try socket.tryReceive() {
            news.isAnything = true
            guard case .frames(let frames) = message else { continue }
            do throws(MalformedMessage) {
                if case .checkpoint(let announced) = try PublishedMessage(frames: frames) { news.announced = announced }
            } catch {
                news.malformed = error
            }
        }
        return news
    }
}
