// Assignments that were published while the journal could not be written, until it can: a bounded queue in memory.

import StreamProtocol

/// Assignments waiting to be written, in the order of their numbers.
struct Backlog: Sendable {
    /// The assignments that wait.
    private(set) var messages: [AssignmentMessage] = []
    /// The numbers that were given up for want of room: the oldest go first, so they are without holes.
    private(set) var lost: ClosedRange<UInt64>?
    private var bytes = 0
    private let maximumBytes: Int

    init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

    /// Adds assignments with numbers above those that wait, and gives up the oldest beyond the limit.
    mutating func add(_ added: [AssignmentMessage]) {
        messages += added
        bytes += added.reduce(0) { $0 + Self.size(of: $1) }
        guard bytes > maximumBytes else { return }
        // An eighth at once, since removing from the front moves all that stay.
        var count = 0
        while count < messages.count, bytes > maximumBytes / 8 * 7 {
            bytes -= Self.size(of: messages[count])
            count += 1
        }
        lost = (lost?.lowerBound ?? messages[0].sequence)...messages[count - 1].sequence
        messages.removeFirst(count)
    }

    /// Removes what has been written: all with numbers up to `sequence`.
    mutating func removeThrough(_ sequence: UInt64) {
        let written = messages.prefix { $0.sequence <= sequence }
        bytes -= written.reduce(0) { $0 + Self.size(of: $1) }
        messages.removeFirst(written.count)
    }

    /// Forgets what was given up, and returns it.
    mutating func takeLost() -> ClosedRange<UInt64>? {
        defer { lost = nil }
        return lost
    }

    /// About what a message takes in memory.
    private static func size(of message: AssignmentMessage) -> Int {
        MemoryLayout<AssignmentMessage>.stride + message.source.utf8.count + (message.id?.utf8.count ?? 0)
            + message.model.utf8.count + 4 * (message.probabilities?.count ?? 0)
    }
}
