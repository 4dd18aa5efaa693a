// Waits for several sockets and file descriptors at once.
//
// A poller belongs to the thread of its sockets. A socket that has been closed since it was added is never ready.

import CZeroMQ
import Glibc

/// What to wait for, or what has happened.
public struct PollEvents: OptionSet, Sendable {
    /// The bits of `zmq_pollitem_t.events`.
    public let rawValue: Int16

    /// Creates a set from the bits of `zmq_pollitem_t.events`.
    public init(rawValue: Int16) { self.rawValue = rawValue }

    /// A message, or a byte of a descriptor, can be received.
    public static let readable = PollEvents(rawValue: Int16(ZMQ_POLLIN))
    /// A message, or a byte to a descriptor, can be sent.
    public static let writable = PollEvents(rawValue: Int16(ZMQ_POLLOUT))
    /// A descriptor has failed.
    public static let error = PollEvents(rawValue: Int16(ZMQ_POLLERR))
}

/// Waits for any of several sockets and file descriptors: `zmq_poll`.
public struct Poller {
    /// Names one of the things that a poller watches.
    public struct Token: Hashable, Sendable {
        fileprivate let index: Int
    }

    private var items: [zmq_pollitem_t] = []
    private var handles: [SocketHandle?] = []

    /// Creates a poller that watches nothing.
    public init() {}

    /// Watches a socket.
    public mutating func add(_ socket: borrowing Socket, for events: PollEvents) -> Token {
        append(zmq_pollitem_t(socket: nil, fd: -1, events: events.rawValue, revents: 0), handle: socket.handle)
    }

    /// Watches a file descriptor, which must stay open for as long as the poller is used.
    public mutating func add(descriptor: Int32, for events: PollEvents) -> Token {
        append(zmq_pollitem_t(socket: nil, fd: descriptor, events: events.rawValue, revents: 0), handle: nil)
    }

    /// Waits for `events` instead of what was waited for before; with none of them, something is not waited for.
    public mutating func setInterest(_ token: Token, _ events: PollEvents) {
        items[token.index].events = events.rawValue
    }

    /// What has happened to something according to the last `wait`.
    public func events(of token: Token) -> PollEvents {
        PollEvents(rawValue: items[token.index].revents)
    }

    /// Waits until something is ready or the time has passed: `zmq_poll`.
    ///
    /// - Parameter timeout: how long to wait, in whole milliseconds; zero only looks, nil waits for ever.
    /// - Returns: whether anything is ready.
    /// - Throws: `ZeroMQError`.
    public mutating func wait(timeout: Duration? = nil) throws(ZeroMQError) -> Bool {
        for (index, handle) in handles.enumerated() where handle != nil {
            items[index].socket = handle?.pointer
        }
        let deadline = timeout.map { ContinuousClock.now + $0 }
        // A signal interrupts zmq_poll; the time that is left is computed anew for each call.
        let ready = try call("poll") {
            let left = deadline.map { Int(max(.zero, $0 - .now).wholeMilliseconds) } ?? -1
            return zmq_poll(&items, Int32(items.count), left)
        }
        return (ready ?? 0) > 0
    }

    private mutating func append(_ item: zmq_pollitem_t, handle: SocketHandle?) -> Token {
        items.append(item)
        handles.append(handle)
        return Token(index: items.count - 1)
    }
}
