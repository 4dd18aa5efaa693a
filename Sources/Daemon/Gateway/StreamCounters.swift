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

/// The counts of all senders; thread-safe.
package final class StreamStatistics: Sendable {
    /// The name under which the counts of senders beyond the number kept are added up; no sender can have it.
    package static let others = "(others)"

    private struct Entry: Sendable {
        var counters = StreamCounters()
        var numbering = SequenceTracker()
    }

    private let maxNames: Int
    private let entries: Monitor<[String: Entry]>

    /// Creates counts at zero, which will be kept for at most `maxNames` names.
    ///
    /// - Parameter names: names that a place is kept for, such as those of the configured sources.
    package init(names: [String] = [], maxNames: Int = 1024) {
        self.maxNames = max(maxNames, names.count)
        entries = Monitor(Dictionary(names.map { ($0, Entry()) }, uniquingKeysWith: { first, _ in first }))
    }

    /// Counts a message of `bytes` bytes; `number` is the sender's own for its image, if it gives one.
    package func countReceived(source: String, bytes: Int, number: UInt64? = nil) {
        update(source) { entry, isKnown in
            entry.counters.received += 1
            entry.counters.bytes += UInt64(bytes)
            if isKnown, let number { entry.counters.add(entry.numbering.observe(number)) }
        }
    }

    /// Counts an image put in a queue.
    package func countAdmitted(source: String) {
        update(source) { entry, _ in entry.counters.admitted += 1 }
    }

    /// Counts a rejected message and returns how many there are now for that reason, which is one of a fixed set.
    @discardableResult
    package func countRejected(source: String, reason: String) -> UInt64 {
        update(source) { entry, _ in
            entry.counters.rejected[reason, default: 0] += 1
            return entry.counters.rejected[reason, default: 0]
        }
    }

    /// Counts an image that a full queue did not keep, and returns how many there are now for that reason.
    @discardableResult
    package func countDropped(source: String, reason: DroppedImage.Reason) -> UInt64 {
        update(source) { entry, _ in
            entry.counters.dropped[reason.rawValue, default: 0] += 1
            return entry.counters.dropped[reason.rawValue, default: 0]
        }
    }

    /// The counts by source name.
    package var snapshot: [String: StreamCounters] { entries.read { $0.mapValues(\.counters) } }

    /// The counts of all sources together.
    package var total: StreamCounters {
        entries.read { entries in
            entries.values.reduce(into: StreamCounters()) { total, entry in
                let counters = entry.counters
                total.received += counters.received
                total.bytes += counters.bytes
                total.admitted += counters.admitted
                total.rejected.merge(counters.rejected, uniquingKeysWith: +)
                total.dropped.merge(counters.dropped, uniquingKeysWith: +)
                total.add(.missing(counters.missing))
                total.duplicates += counters.duplicates
                total.restarts += counters.restarts
            }
        }
    }

    private func update<Result>(_ source: String, _ body: (inout Entry, _ isKnown: Bool) -> Result) -> Result {
        entries.withLock { entries in
            let isKnown = entries[source] != nil || entries.count < maxNames
            return body(&entries[isKnown ? source : Self.others, default: Entry()], isKnown)
        }
    }
}
