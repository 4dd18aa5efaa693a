// The socket options that clusterd uses, each with the type of its value.
//
// CONFLATE is left out on purpose: it keeps only one frame of a multipart message.

import CZeroMQ

/// An option of a socket, to be given to `Socket.set`.
public struct SocketOption<Value>: Sendable {
    let name: String
    let code: Int32
    let encode: @Sendable (Value) -> [UInt8]
}

extension SocketOption where Value == Int {
    static func int32(_ name: String, _ code: Int32) -> Self {
        Self(name: name, code: code) { bytes(Int32(clamping: $0)) }
    }

    /// How many messages may wait to be sent to each peer; 0 is no limit: `ZMQ_SNDHWM`.
    public static var sendHighWaterMark: Self { int32("SNDHWM", ZMQ_SNDHWM) }

    /// How many messages of each peer may wait to be received; 0 is no limit: `ZMQ_RCVHWM`.
    public static var receiveHighWaterMark: Self { int32("RCVHWM", ZMQ_RCVHWM) }

    /// The seconds of silence after which TCP probes a peer, where `tcpKeepalive` is set: `ZMQ_TCP_KEEPALIVE_IDLE`.
    public static var keepaliveIdleSeconds: Self { int32("TCP_KEEPALIVE_IDLE", ZMQ_TCP_KEEPALIVE_IDLE) }

    /// The seconds between two probes: `ZMQ_TCP_KEEPALIVE_INTVL`.
    public static var keepaliveIntervalSeconds: Self { int32("TCP_KEEPALIVE_INTVL", ZMQ_TCP_KEEPALIVE_INTVL) }

    /// How many probes a peer may leave unanswered before the connection is given up: `ZMQ_TCP_KEEPALIVE_CNT`.
    public static var keepaliveProbes: Self { int32("TCP_KEEPALIVE_CNT", ZMQ_TCP_KEEPALIVE_CNT) }

    /// The bytes that a frame may have, −1 is no limit: `ZMQ_MAXMSGSIZE`. A peer that sends a larger one is disconnected.
    public static var maxMessageSize: Self {
        Self(name: "MAXMSGSIZE", code: ZMQ_MAXMSGSIZE) { bytes(Int64($0)) }
    }
}

extension SocketOption where Value == Duration {
    static func milliseconds(_ name: String, _ code: Int32) -> Self {
        Self(name: name, code: code) { bytes($0.wholeMilliseconds) }
    }

    /// How long a closed socket may take to send what is queued, in whole milliseconds: `ZMQ_LINGER`.
    ///
    /// ZeroMQ's "for ever" cannot be said: ending the context would wait with it.
    public static var linger: Self { milliseconds("LINGER", ZMQ_LINGER) }

    /// How long to wait before connecting again: `ZMQ_RECONNECT_IVL`.
    public static var reconnectInterval: Self { milliseconds("RECONNECT_IVL", ZMQ_RECONNECT_IVL) }

    /// Up to which wait the reconnect interval doubles; zero keeps it constant: `ZMQ_RECONNECT_IVL_MAX`.
    public static var maxReconnectInterval: Self { milliseconds("RECONNECT_IVL_MAX", ZMQ_RECONNECT_IVL_MAX) }
}

extension SocketOption where Value == Duration? {
    private static func milliseconds(_ name: String, _ code: Int32) -> Self {
        Self(name: name, code: code) { bytes($0?.wholeMilliseconds ?? -1) }
    }

    /// How long a blocking send waits before it throws a timeout; nil waits for ever: `ZMQ_SNDTIMEO`.
    public static var sendTimeout: Self { milliseconds("SNDTIMEO", ZMQ_SNDTIMEO) }

    /// How long a blocking receive waits before it throws a timeout; nil waits for ever: `ZMQ_RCVTIMEO`.
    public static var receiveTimeout: Self { milliseconds("RCVTIMEO", ZMQ_RCVTIMEO) }
}

extension SocketOption where Value == Bool {
    static func flag(_ name: String, _ code: Int32) -> Self {
        Self(name: name, code: code) { bytes($0 ? Int32(1) : 0) }
    }

    /// Whether messages are queued only for connections that are complete: `ZMQ_IMMEDIATE`.
    public static var immediate: Self { flag("IMMEDIATE", ZMQ_IMMEDIATE) }

    /// Whether TCP probes a silent peer: `ZMQ_TCP_KEEPALIVE`.
    public static var tcpKeepalive: Self { flag("TCP_KEEPALIVE", ZMQ_TCP_KEEPALIVE) }

    /// Whether a ROUTER socket gives a routing ID to the peer that claims it last, such as one whose earlier connection broke
    /// without our knowing: `ZMQ_ROUTER_HANDOVER`.
    public static var routerHandover: Self { flag("ROUTER_HANDOVER", ZMQ_ROUTER_HANDOVER) }

    /// Whether an XPUB socket reports every subscription, not only the first of each topic: `ZMQ_XPUB_VERBOSE`.
    public static var xpubVerbose: Self { flag("XPUB_VERBOSE", ZMQ_XPUB_VERBOSE) }
}

extension SocketOption where Value == [UInt8] {
    /// Asks for messages whose first frame begins with these bytes; SUB only: `ZMQ_SUBSCRIBE`.
    public static var subscribe: Self { Self(name: "SUBSCRIBE", code: ZMQ_SUBSCRIBE) { $0 } }

    /// Takes back one `subscribe` of the same bytes; SUB only: `ZMQ_UNSUBSCRIBE`.
    public static var unsubscribe: Self { Self(name: "UNSUBSCRIBE", code: ZMQ_UNSUBSCRIBE) { $0 } }

    /// The name under which a ROUTER knows this socket, 1 to 255 bytes, the first not zero: `ZMQ_ROUTING_ID`.
    public static var routingID: Self { Self(name: "ROUTING_ID", code: ZMQ_ROUTING_ID) { $0 } }
}

private func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number) { Array($0) }
}

extension Duration {
    /// Rounded up, never negative, at most what fits.
    var wholeMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let rest = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return overflow || product > Int64(Int32.max) ? .max : Int32(clamping: product + rest)
    }
}
