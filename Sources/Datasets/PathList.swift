// A list of paths that another program writes while it is read: `find photos -name '*.jpg' | clusterd feed -`.
//
// Lines end in a newline, or in a zero byte as `find -print0` has them; which of the two, the first bytes tell unless it is
// said. Bytes are waited for with poll(2), together with a descriptor that calls the wait off, so that a signal ends it.

import Glibc

/// The paths that arrive on a descriptor, one at a time.
public final class PathList {
    /// The most bytes of a path, sixteen times Linux's PATH_MAX: what is longer is no list.
    private static let longestPath = 64 << 10

    private let descriptor: Int32
    private let cancellation: Int32?
    private var separator: UInt8?
    private var buffer: ArraySlice<UInt8> = []
    /// Whether it cannot be read any more.
    private(set) var hasFailed = false
    private var hasEnded = false
    /// Whether what comes up to the next separator belongs to a line that was too long.
    private var isPassingOver = false

    /// Creates a list that has not been read from.
    ///
    /// - Parameters:
    ///   - descriptor: where the list arrives; stays open.
    ///   - cancellation: a descriptor that becomes readable when the list is no longer wanted; it then ends.
    ///   - endsInZero: whether every path ends in a zero byte; nil has the first bytes tell.
    public init(descriptor: Int32 = STDIN_FILENO, cancellation: Int32? = nil, endsInZero: Bool? = nil) {
        self.descriptor = descriptor
        self.cancellation = cancellation
        separator = endsInZero.map { $0 ? 0 : UInt8(ascii: "\n") }
    }

    /// The next path, nil at the end of the list; waits for it. Empty lines are passed over.
    ///
    /// - Throws: `DatasetError` for a line that is no path, after which the list goes on, and where it cannot be read.
    func next() throws(DatasetError) -> RawPath? {
        while true {
            if let separator, let end = buffer.firstIndex(of: separator) {
                let line = buffer[..<end]
                buffer = buffer[(end + 1)...]
                defer { isPassingOver = false }
                if !line.isEmpty, !isPassingOver { return try Self.path(line) }
            } else if hasEnded {
                defer { buffer = [] }
                return buffer.isEmpty || isPassingOver ? nil : try Self.path(buffer)
            } else {
                let length = buffer.count
                if isPassingOver || length > Self.longestPath { buffer = [] }
                guard isPassingOver || length <= Self.longestPath else {
                    isPassingOver = true
                    throw Self.tooLong(length)
                }
                try fill()
            }
        }
    }

    /// All paths that are left, and the lines among them that are none.
    func rest() throws(DatasetError) -> (paths: [RawPath], refused: [DatasetError]) {
        var paths: [RawPath] = []
        var refused: [DatasetError] = []
        while true {
            do throws(DatasetError) {
                guard let path = try next() else { return (paths, refused) }
                paths.append(path)
            } catch {
                if hasFailed { throw error }
                refused.append(error)
            }
        }
    }

    private static func tooLong(_ bytes: Int) -> DatasetError {
        DatasetError(path: "a path on standard input", reason: .tooLarge(bytes: bytes, limit: longestPath))
    }

    private static func path(_ line: ArraySlice<UInt8>) throws(DatasetError) -> RawPath {
        guard line.count <= longestPath else { throw tooLong(line.count) }
        return try FileAddress.path(RawPath(bytes: Array(line)))
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
        guard failure == 0 else {
            hasFailed = true
            hasEnded = true
            throw DatasetError(path: RawPath("standard input"), errorNumber: failure)
        }
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
