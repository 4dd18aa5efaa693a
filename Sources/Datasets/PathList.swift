// A list of paths that another program writes while it is read: `find photos -name '*.jpg' | clusterd feed -`.
//
// Lines end in a newline, or in a zero byte as `find -print0` has them; which of the two, the first bytes tell. Bytes are
// waited for with poll(2), together with a descriptor that calls the wait off, so that a signal ends it.

import Glibc

/// The paths that arrive on a descriptor, one at a time.
public final class PathList {
    /// The most bytes of a path, sixteen times Linux's PATH_MAX: what is longer is no list.
    private static let longestPath = 64 << 10

    private let descriptor: Int32
    private let cancellation: Int32?
    private var separator: UInt8?
    private var buffer: ArraySlice<UInt8> = []
    private var hasEnded = false

    /// Creates a list that has not been read from.
    ///
    /// - Parameters:
    ///   - descriptor: where the list arrives; stays open.
    ///   - cancellation: a descriptor that becomes readable when the list is no longer wanted; it then ends.
    public init(descriptor: Int32 = STDIN_FILENO, cancellation: Int32? = nil) {
        self.descriptor = descriptor
        self.cancellation = cancellation
    }

    /// The next path, nil at the end of the list; waits for it. Empty lines are passed over.
    func next() throws(DatasetError) -> RawPath? {
        while true {
            if let separator, let end = buffer.firstIndex(of: separator) {
                let line = Array(buffer[..<end])
                buffer = buffer[(end + 1)...]
                if !line.isEmpty { return RawPath(bytes: line) }
            } else if hasEnded {
                defer { buffer = [] }
                return buffer.isEmpty ? nil : RawPath(bytes: Array(buffer))
            } else {
                guard buffer.count <= Self.longestPath else {
                    throw DatasetError(
                        path: "a path on standard input",
                        reason: .tooLarge(bytes: buffer.count, limit: Self.longestPath))
                }
                try fill()
            }
        }
    }

    /// All paths that are left.
    func rest() throws(DatasetError) -> [RawPath] {
        var paths: [RawPath] = []
        while let path = try next() { paths.append(path) }
        return paths
    }

    private func fill() throws(DatasetError) {
        guard wait() else {
            hasEnded = true
            buffer = []
            return
        }
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 64 << 10) { space, filled in
            var count = read(descriptor, space.baseAddress, space.count)
            while count < 0, errno == EINTR { count = read(descriptor, space.baseAddress, space.count) }
            if count < 0 { failure = errno }
            filled = max(0, count)
        }
        guard failure == 0 else { throw DatasetError(path: RawPath("standard input"), errorNumber: failure) }
        hasEnded = bytes.isEmpty
        if separator == nil, !bytes.isEmpty { separator = bytes.contains(0) ? 0 : UInt8(ascii: "\n") }
        buffer = ArraySlice(buffer + bytes)
    }

    /// Waits for bytes or the end.
    ///
    /// - Returns: false where the list is no longer wanted.
    private func wait() -> Bool {
        var items = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        if let cancellation { items.append(pollfd(fd: cancellation, events: Int16(POLLIN), revents: 0)) }
        while poll(&items, nfds_t(items.count), -1) < 0, errno == EINTR {}
        return !items.dropFirst().contains { $0.revents != 0 }
    }
}
