// A ZeroMQ socket with one owner: made by a context, closed when its owner lets go of it.
//
// Sockets are not thread-safe, so every method is mutating: whoever calls one has the socket to itself. A socket may be
// moved to another thread.

import CZeroMQ

/// The patterns that a socket can take part in.
public enum SocketKind: String, Sendable, CaseIterable {
    case push, pull, pub, sub, xpub, xsub, req, rep, router, dealer, pair

    var code: Int32 {
        switch self {
        case .push: ZMQ_PUSH
        case .pull: ZMQ_PULL
        case .pub: ZMQ_PUB
        case .sub: ZMQ_SUB
        case .xpub: ZMQ_XPUB
        case .xsub: ZMQ_XSUB
        case .req: ZMQ_REQ
        case .rep: ZMQ_REP
        case .router: ZMQ_ROUTER
        case .dealer: ZMQ_DEALER
        case .pair: ZMQ_PAIR
        }
    }
}

/// The pointer to an open socket, shared by a socket and the pollers that watch it; nil once the socket is closed.
final class SocketHandle {
    private(set) var pointer: UnsafeMutableRawPointer?
    private let context: ZeroMQContext

    init(_ pointer: UnsafeMutableRawPointer, context: ZeroMQContext) {
        self.pointer = pointer
        self.context = context
    }

    func close() {
        zmq_close(pointer)
        pointer = nil
    }
}

// Sendable: there is one owner, and each use needs exclusive access. libzmq allows a socket to move between threads with
// a full fence, which handing a value over in Swift implies.
/// A ZeroMQ socket. It and the pollers that watch it belong to one thread at a time.
public struct Socket: ~Copyable, @unchecked Sendable {
    /// The socket's pattern.
    public let kind: SocketKind
    let handle: SocketHandle

    init(kind: SocketKind, handle: SocketHandle) {
        self.kind = kind
        self.handle = handle
    }

    deinit { handle.close() }

    /// Closes the socket: `zmq_close`. What is queued is still sent for as long as `SocketOption.linger` says.
    public consuming func close() {}

    /// Listens on `endpoint`: `zmq_bind`.
    ///
    /// - Returns: the endpoint with its port resolved (`ZMQ_LAST_ENDPOINT`), for `tcp://127.0.0.1:*` the port chosen.
    /// - Throws: `ZeroMQError`, among others where the port is in use or the endpoint malformed.
    public mutating func bind(_ endpoint: String) throws(ZeroMQError) -> String {
        _ = try call("bind", endpoint: endpoint) { zmq_bind(handle.pointer, endpoint) }
        return try lastEndpoint()
    }

    /// Connects to `endpoint`, now or as soon as somebody listens there: `zmq_connect`.
    ///
    /// - Throws: `ZeroMQError` where the endpoint is malformed.
    public mutating func connect(_ endpoint: String) throws(ZeroMQError) {
        _ = try call("connect to", endpoint: endpoint) { zmq_connect(handle.pointer, endpoint) }
    }

    /// Stops listening on an endpoint as `bind` returned it: `zmq_unbind`. It ends the connections
    /// made there too, with all that is under way on them.
    ///
    /// - Throws: `ZeroMQError` where the socket does not listen there.
    public mutating func unbind(_ endpoint: String) throws(ZeroMQError) {
        _ = try call("unbind", endpoint: endpoint) { zmq_unbind(handle.pointer, endpoint) }
    }

    /// Gives up a connection and what is queued for it: `zmq_disconnect`.
    ///
    /// - Throws: `ZeroMQError` where the socket is not connected there.
    public mutating func disconnect(_ endpoint: String) throws(ZeroMQError) {
        _ = try call("disconnect", endpoint: endpoint) { zmq_disconnect(handle.pointer, endpoint) }
    }

    /// Sets an option: `zmq_setsockopt`. Most apply to later `bind` and `connect` calls only, so set them before.
    ///
    /// - Throws: `ZeroMQError` where the value is out of range or the socket is of another kind.
    public mutating func set<Value>(_ option: SocketOption<Value>, _ value: Value) throws(ZeroMQError) {
        let bytes = option.encode(value)
        _ = try call("set \(option.name)") {
            bytes.withUnsafeBytes { zmq_setsockopt(handle.pointer, option.code, $0.baseAddress, $0.count) }
        }
    }

    private mutating func lastEndpoint() throws(ZeroMQError) -> String {
        // The value ends in a zero byte; a path of ipc:// has at most 107 bytes, a tcp:// address fewer.
        var buffer = [UInt8](repeating: 0, count: 256)
        var size = buffer.count
        _ = try call("read LAST_ENDPOINT") {
            buffer.withUnsafeMutableBytes {
                zmq_getsockopt(handle.pointer, ZMQ_LAST_ENDPOINT, $0.baseAddress, &size)
            }
        }
        return String(decoding: buffer.prefix(max(0, size - 1)), as: UTF8.self)
    }
}
