// Lets other threads wake a thread that waits in a Poller.
//
// A pipe whose bytes mean nothing: a full one is as good a signal as one with a single byte.

import Glibc

/// A signal between threads that a `Poller` can wait for by its `descriptor`; thread-safe.
public final class Wakeup: Sendable {
    /// Readable from a `signal` to the next `clear`.
    public let descriptor: Int32
    private let writer: Int32

    /// Creates a signal that is not set: `pipe`, `fcntl`.
    ///
    /// - Throws: `ZeroMQError` where the process has no file descriptors left.
    public init() throws(ZeroMQError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw ZeroMQError(operation: "create a pipe", code: errno) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (descriptor, writer) = (ends[0], ends[1])
    }

    deinit {
        Glibc.close(descriptor)
        Glibc.close(writer)
    }

    /// Sets the signal.
    public func signal() {
        var byte: UInt8 = 1
        while write(writer, &byte, 1) < 0, errno == EINTR {}
    }

    /// Takes the signal back. What it announced is to be looked at after this, not before.
    public func clear() {
        var bytes: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        while true {
            let count = withUnsafeMutableBytes(of: &bytes) { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < MemoryLayout.size(ofValue: bytes) { return }
        }
    }
}
