// The owner of libzmq's input/output threads, which every socket is created from.
//
// zmq_ctx_term waits for every socket to be closed and for its LINGER. Both are bounded here: a socket keeps its context
// alive, so that the context ends only after its last socket, and LINGER always has a limit.

import CZeroMQ
import Glibc

/// A libzmq context; thread-safe. It ends when the last reference to it and the last of its sockets are gone.
public final class ZeroMQContext: Sendable {
    // libzmq documents a context as thread-safe; the pointer never changes.
    nonisolated(unsafe) private let pointer: UnsafeMutableRawPointer
    private let linger: Duration

    /// Creates a context: `zmq_ctx_new`, `zmq_ctx_set`.
    ///
    /// - Parameter linger: how long each new socket, once closed, may take to send what is still queued; see
    ///   `SocketOption.linger`.
    /// - Throws: `ZeroMQError` where the process has no file descriptors left.
    public init(linger: Duration = .seconds(2)) throws(ZeroMQError) {
        guard let pointer = zmq_ctx_new() else { throw ZeroMQError(operation: "create a context", code: zmq_errno()) }
        self.pointer = pointer
        self.linger = linger
    }

    deinit {
        // zmq_ctx_term may be interrupted by a signal and is then called again, as its manual says.
        while zmq_ctx_term(pointer) != 0, zmq_errno() == EINTR {}
    }

    /// Creates a socket: `zmq_socket`.
    ///
    /// - Throws: `ZeroMQError` where the process or the context has too many sockets.
    public func socket(_ kind: SocketKind) throws(ZeroMQError) -> Socket {
        guard let socket = zmq_socket(pointer, kind.code) else {
            throw ZeroMQError(operation: "create a \(kind.rawValue) socket", code: zmq_errno())
        }
        var result = Socket(kind: kind, handle: SocketHandle(socket, context: self))
        try result.set(.linger, linger)
        return result
    }
}
