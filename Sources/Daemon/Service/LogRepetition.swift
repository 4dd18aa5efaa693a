// What becomes of a fault that happens again and again: a few lines of it, then how often it came. A log that says the same a
// thousand times a second hides everything else, and fills the disk.

import Logging

/// Counts messages of late; a plain value, which is told the time.
package struct LogRepetition: Sendable {
    /// A message that counts as the same: its metadata may differ.
    package struct Key: Sendable, Hashable {
        /// How bad it is.
        package var level: Logger.Level
        /// The message.
        package var message: String

        /// Creates a key.
        package init(level: Logger.Level, message: String) {
            self.level = level
            self.message = message
        }
    }

    /// How often a message was left out.
    package struct Summary: Sendable, Equatable {
        /// The message.
        package var key: Key
        /// How often.
        package var times: Int

        /// Creates a summary.
        package init(key: Key, times: Int) {
            self.key = key
            self.times = times
        }
    }

    private struct Entry: Sendable {
        var began: MonotonicTime
        var count = 0
        var leftOut: Int { max(0, count - LogRepetition.limit) }
        var ends: MonotonicTime { began.advanced(bySeconds: LogRepetition.period) }
    }

    /// Lines of a message in a period; in the next ones only one, while it goes on.
    package static let limit = 10
    /// Seconds of a period, which begins with a message's first line.
    package static let period = 60.0
    /// Messages told apart; further ones count as one.
    package static let maximumMessages = 256

    private var entries: [Key: Entry] = [:]

    /// Nothing has been logged so far.
    package init() {}

    /// Counts a message, and says whether it is to be written.
    package mutating func admits(_ key: Key, at now: MonotonicTime) -> Bool {
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
    package mutating func takeSummaries(at now: MonotonicTime?) -> [Summary] {
        let over = entries.filter { entry in entry.value.leftOut > 0 && (now.map { entry.value.ends <= $0 } ?? true) }
        for key in over.keys {
            entries[key] = now.map { Entry(began: $0, count: Self.limit - 1) }
        }
        return over.map { Summary(key: $0.key, times: $0.value.leftOut) }.sorted { $0.key.message < $1.key.message }
    }

    /// When the first period ends in which something has been left out.
    package var nextSummary: MonotonicTime? { entries.values.filter { $0.leftOut > 0 }.map(\.ends).min() }
}
