// What becomes of a fault that happens again and again: a few lines of it, then how often it came. A log that says the same a
// thousand times a second hides everything else, and fills the disk.

import Logging

/// Counts messages of late; a plain value, which is told the time.
struct LogRepetition: Sendable {
    /// A message that counts as the same: its metadata may differ.
    struct Key: Sendable, Hashable {
        var level: Logger.Level
        var message: String
    }

    /// How often a message was left out.
    struct Summary: Sendable, Equatable {
        var key: Key
        var times: Int
    }

    private struct Entry: Sendable {
        var began: MonotonicTime
        var count = 0
        var leftOut: Int { max(0, count - LogRepetition.limit) }
        var ends: MonotonicTime { began.advanced(bySeconds: LogRepetition.period) }
    }

    /// Lines of a message in a period; in the next ones only one, while it goes on.
    static let limit = 10
    /// Seconds of a period, which begins with a message's first line.
    static let period = 60.0
    /// Messages told apart; further ones count as one.
    static let maximumMessages = 256

    private var entries: [Key: Entry] = [:]

    /// Counts a message, and says whether it is to be written.
    mutating func admits(_ key: Key, at now: MonotonicTime) -> Bool {
        var key = key
        if entries[key] == nil, entries.count >= Self.maximumMessages {
            entries = entries.filter { $0.value.leftOut > 0 || $0.value.ends > now }
            if entries.count >= Self.maximumMessages { key.message = "of many different messages" }
        }
        var entry = entries[key] ?? Entry(began: now)
        if entry.leftOut == 0, entry.ends <= now { entry = Entry(began: now) }
        entry.count += 1
        entries[key] = entry
        return entry.leftOut == 0
    }

    /// What has been left out in periods that are over at `now`; nil is all.
    mutating func takeSummaries(at now: MonotonicTime?) -> [Summary] {
        let over = entries.filter { entry in entry.value.leftOut > 0 && (now.map { entry.value.ends <= $0 } ?? true) }
        for key in over.keys {
            entries[key] = now.map { Entry(began: $0, count: Self.limit - 1) }
        }
        return over.map { Summary(key: $0.key, times: $0.value.leftOut) }.sorted { $0.key.message < $1.key.message }
    }

    /// When the first period ends in which something has been left out.
    var nextSummary: MonotonicTime? { entries.values.filter { $0.leftOut > 0 }.map(\.ends).min() }
}
