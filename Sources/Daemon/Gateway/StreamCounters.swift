// What became of the messages of each sender, counted since the start.
//
// Senders name themselves, so the number of names kept is bounded: a hostile one may invent a new name for every message.

/// Counts for the messages that arrived under one source name.
package struct StreamCounters: Sendable, Equatable {
    /// Messages received, whatever became of them.
    package var received: UInt64 = 0
    /// Bytes of those messages.
    package var bytes: UInt64 = 0
    /// Images put in a queue; some may have been dropped from it later.
    package var admitted: UInt64 = 0
    /// Messages rejected, by reason.
    package var rejected: [String: UInt64] = [:]
    /// Images dropped because a queue was full, by reason.
    package var dropped: [String: UInt64] = [:]
    /// Numbers missing in the sender's numbering: images lost on the way.
    package var missing: UInt64 = 0
    /// Images whose number had come before, or that came late.
    package var duplicates: UInt64 = 0
    /// How often the sender began to number anew.
    package var restarts: UInt64 = 0
    /// How often the sender said that no more will come, after it had sent something.
    package var ends: UInt64 = 0

    /// Creates counts at zero.
    package init() {}

    mutating func add(_ numbering: SequenceTracker.Finding) {
        switch numbering {
        case .next: break
        case .missing(let count): missing = missing.addingReportingOverflow(count).overflow ? .max : missing + count
        case .duplicate: duplicates += 1
        case .restart: restarts += 1
        }
    }
}

/// Follows the numbers that a sender gives its images, counting up by one.
struct SequenceTracker: Sendable {
    enum Finding: Sendable, Equatable {
        /// The first number, or the one expected.
        case next
        /// So many numbers were left out.
        case missing(UInt64)
        /// A number that has come before, or one that comes late.
        case duplicate
        /// The numbering began again.
        case restart
    }

    // A number so far behind the last is no late image: the sender has begun anew.
    private static let window: UInt64 = 1024
    private var last: UInt64?

    mutating func observe(_ number: UInt64) -> Finding {
        guard let last else {
            self.last = number
            return .next
        }
        if number > last {
            self.last = number
            return number == last + 1 ? .next : .missing(number - last - 1)
        }
        guard number < last, number <= 1 || last - number > Self.window else { return .duplicate }
        self.last = number
        return .restart
    }
}
