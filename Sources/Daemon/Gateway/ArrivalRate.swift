// How many images a second a sender sends these seconds: an average in which what came t seconds ago weighs exp(-t / 5).
//
// For what comes one by one, from a thousand senders: it is three numbers each, and follows a sender from its first seconds on.
// `RecentRate` is for what is done in batches.

import Glibc

/// An exponentially weighted rate; a plain value.
struct ArrivalRate: Sendable {
    private static let timeConstant = 5.0

    private var first: MonotonicTime?
    private var last = MonotonicTime(nanoseconds: 0)
    /// The weighted count at `last`.
    private var count = 0.0

    /// Counts one arrival.
    mutating func add(at now: MonotonicTime) {
        count = weight(at: now) + 1
        first = first ?? now
        last = now
    }

    /// Arrivals a second. The weights of the time since the first arrival, at least a second, are what the count is divided
    /// by: so a steady rate is right from its first seconds on.
    func perSecond(at now: MonotonicTime) -> Double {
        guard let first else { return 0 }
        let span = Self.timeConstant * (1 - exp(-max(1, now.seconds(since: first)) / Self.timeConstant))
        return weight(at: now) / span
    }

    private func weight(at now: MonotonicTime) -> Double { count * exp(-now.seconds(since: last) / Self.timeConstant) }
}
