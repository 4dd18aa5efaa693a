// Which values a label may have. Each value is a time series that Prometheus keeps for weeks, and some values are strangers'
// own words, such as the names that senders give themselves: so their number is bounded, and the rest are told as one.

import Synchronization

/// The values that a label has had, up to a number of them; thread-safe.
public final class LabelValues: Sendable {
    /// The value that stands for all beyond the number kept.
    public static let other = "other"
    /// Bytes of a value beyond which it is not kept.
    public static let maximumBytes = 128

    private let limit: Int
    private let values: Mutex<Set<String>>

    /// Creates an empty set.
    ///
    /// - Parameters:
    ///   - limit: how many values are kept.
    ///   - known: values that have a place from the beginning, at the limit's expense but whatever it is.
    public init(limit: Int, known: [String] = []) {
        precondition(limit >= 0)
        self.limit = limit
        values = Mutex(Set(known))
    }

    /// `value` itself, if it is kept or there is still a place for it, else `other`. A value that was kept once always is, so
    /// that counters by it do not go back.
    public func folded(_ value: String) -> String {
        values.withLock { values in
            if values.contains(value) { return value }
            guard values.count < limit, value.utf8.count <= Self.maximumBytes else { return Self.other }
            values.insert(value)
            return value
        }
    }
}
