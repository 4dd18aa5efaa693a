// Writes to a descriptor until all is written, and tells a reader that has gone from a failure.

import Glibc

/// Where output goes; SIGPIPE must be ignored, so that a reader that has gone is an error here and not the end.
public struct OutputFile: Sendable {
    /// What became of a write.
    public enum Outcome: Sendable, Equatable {
        /// All is written.
        case written
        /// The reader of a pipe has gone.
        case readerGone
        /// It failed, by the system's number.
        case failed(Int32)
    }

    /// The descriptor.
    public let descriptor: Int32

    /// Standard output.
    public static let standard = OutputFile(descriptor: STDOUT_FILENO)

    /// Writes to `descriptor`, which stays open.
    public init(descriptor: Int32) { self.descriptor = descriptor }

    /// Writes all bytes: `write`.
    public func write(_ bytes: [UInt8]) -> Outcome {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + offset, $0.count - offset) }
            if count >= 0 {
                offset += count
            } else if errno == EAGAIN {
                // Somebody else has made the terminal or pipe non-blocking.
                var item = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&item, 1, -1)
            } else if errno != EINTR {
                return errno == EPIPE ? .readerGone : .failed(errno)
            }
        }
        return .written
    }
}
