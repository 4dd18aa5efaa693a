// Watches the connections of a socket: whether anybody is there, which ZeroMQ otherwise hides.
//
// libzmq reports each event on an inproc PAIR socket (zmq_socket_monitor). Only completed handshakes count as peers: a
// TCP connection alone may be to something that does not speak ZeroMQ.

import CZeroMQ

/// What has happened to a connection.
public enum ConnectionEvent: Sendable, Equatable {
    /// A peer is there: messages can pass.
    case connected
    /// A peer has gone.
    case disconnected
    /// Somebody was there who is no peer.
    case handshakeFailed(HandshakeFailure)
}

/// The connections of one socket. It belongs to the socket's thread.
public struct SocketMonitor: ~Copyable {
    private let watched: SocketHandle
    private var events: Socket
    private var hasFailedHandshake = false

    /// How many peers are connected, as far as events have been taken.
    public private(set) var peerCount = 0

    /// Watches `socket`, which has neither been bound nor connected so far: `zmq_socket_monitor`.
    ///
    /// - Parameter context: the socket's context.
    /// - Throws: `ZeroMQError`.
    public init(_ socket: borrowing Socket, context: ZeroMQContext) throws(ZeroMQError) {
        let handle = socket.handle
        let endpoint = "inproc://monitor-\(UInt(bitPattern: handle.pointer))"
        var events = try context.socket(.pair)
        // libzmq waits where the queue of events is full, and the socket with it.
        try events.set(.receiveHighWaterMark, 0)
        _ = try call("monitor") { zmq_socket_monitor(handle.pointer, endpoint, Self.wanted) }
        do throws(ZeroMQError) {
            try events.connect(endpoint)
        } catch {
            zmq_socket_monitor(handle.pointer, nil, 0)
            throw error
        }
        watched = handle
        self.events = events
    }

    // The socket may live on and must not wait for somebody to take its events.
    deinit {
        if watched.pointer != nil { zmq_socket_monitor(watched.pointer, nil, 0) }
    }

    /// Takes the next event, nil where there is none.
    ///
    /// - Throws: `ZeroMQError`.
    public mutating func next() throws(ZeroMQError) -> ConnectionEvent? {
        while let message = try events.tryReceive() {
            // The first frame is the event's number, 16 bits, and a value, 32 bits, in the machine's byte order.
            guard case .frames(let frames) = message, frames[0].count >= 6 else { continue }
            let (number, value) = frames[0].withUnsafeBytes {
                (Int32($0.loadUnaligned(as: UInt16.self)), $0.loadUnaligned(fromByteOffset: 2, as: Int32.self))
            }
            if let event = take(number, value) { return event }
        }
        return nil
    }

    /// Lets `poller` wait for the next event.
    public func add(to poller: inout Poller) -> Poller.Token { poller.add(events, for: .readable) }

    private static let failures =
        ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
    private static let wanted = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | failures

    private mutating func take(_ number: Int32, _ value: Int32) -> ConnectionEvent? {
        switch number {
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
            peerCount += 1
            return .connected
        case ZMQ_EVENT_DISCONNECTED:
            // A failed handshake is followed by a disconnection of what never was a peer.
            defer { hasFailedHandshake = false }
            guard !hasFailedHandshake, peerCount > 0 else { return nil }
            peerCount -= 1
            return .disconnected
        case let number where number & Self.failures != 0:
            hasFailedHandshake = true
            return .handshakeFailed(HandshakeFailure(event: number, value: value))
        default: return nil
        }
    }
}
