// How other threads reach the server's thread while it waits in poll: a pipe to itself.

import Glibc

/// A pipe whose reading end becomes readable when somebody calls `wake`.
final class HTTPWakeup: Sendable {
    /// The end to poll.
    let file: Int32
    private let writing: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "no pipe for the page: \(String(cString: strerror(errno)))")
        (file, writing) = (ends[0], ends[1])
        ends.forEach(makeNonBlocking)
    }

    deinit {
        close(file)
        close(writing)
    }

    /// Ends a wait. A full pipe does as well.
    func wake() {
        var byte: UInt8 = 1
        _ = write(writing, &byte, 1)
    }

    /// Forgets all calls so far.
    func clear() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(file, &bytes, bytes.count) == bytes.count {}
    }
}
