// Of every sender what became of its messages, and how it is doing.
//
// Senders name themselves, so the number of names kept is bounded: a hostile one may invent a new name for every message.

import StreamProtocol

/// The counts of all senders; thread-safe.
package final class StreamStatistics: Sendable {
    /// The name under which the counts of senders beyond the number kept are added up; no sender can have it.
    package static let others = "(others)"

    fileprivate struct Entry: Sendable {
        var counters = StreamCounters()
        var numbering = SequenceTracker()
        var rate = ArrivalRate()
        var lastImage: Int64?
        var hasEnded = false
        /// The configured source that its last message came through; nil before the first.
        var socket: String?
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

    // MARK: Counting

    /// Counts an image in a message of `bytes` bytes that came through the configured source `socket`.
    package func countReceived(
        _ image: IncomingImage, bytes: Int, through socket: String, now: MonotonicTime = .now
    ) {
        update(image.source) { entry, isKnown in
            entry.countMessage(bytes: bytes, socket: socket)
            entry.hasEnded = false
            entry.lastImage = image.received
            entry.rate.add(at: now)
            if isKnown, let number = image.sequence { entry.counters.add(entry.numbering.observe(number)) }
        }
    }

    /// Counts a message of `bytes` bytes that brought no image.
    package func countReceived(source: String, bytes: Int, through socket: String) {
        update(source) { entry, _ in entry.countMessage(bytes: bytes, socket: socket) }
    }

    /// Notes that a sender has said that no more will come, and returns how many such ends there are now; said again, as some
    /// do hundreds of times to be heard, it is the same end, and nil is returned. What comes all the same is counted on.
    @discardableResult
    package func countEnd(source: String) -> UInt64? {
        update(source) { entry, _ in
            guard !entry.hasEnded else { return nil }
            entry.hasEnded = true
            entry.counters.ends += 1
            return entry.counters.ends
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

    // MARK: Reading

    /// How each sender is doing, by name; those that have sent nothing so far are left out.
    package func health(now: MonotonicTime = .now) -> [SourceHealth] {
        entries.read { entries in
            entries.compactMap { name, entry in
                entry.socket.map { socket in
                    SourceHealth(
                        name: name, socket: socket, state: entry.hasEnded ? .ended : .open, lastImage: entry.lastImage,
                        rate: entry.rate.perSecond(at: now), counters: entry.counters)
                }
            }
        }.sorted { $0.name < $1.name }
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
                total.ends += counters.ends
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

extension StreamStatistics.Entry {
    fileprivate mutating func countMessage(bytes: Int, socket: String) {
        counters.received += 1
        counters.bytes += UInt64(bytes)
        self.socket = socket
    }
}
