// How many of something are done a second at the moment: what a mean since the start hides after an hour.
//
// For work that is done in batches, of which there may be one in seconds: a mean over whole seconds, which a batch neither lifts
// for a moment nor leaves a trace in for good: it is 0 when nothing has been done for ten seconds. `ArrivalRate` is for what
// comes one by one.

import Synchronization

/// Counts a second over the last ten seconds; thread-safe.
package final class RecentRate: Sendable {
    /// Seconds looked back on.
    private static let window: UInt64 = 10

    fileprivate struct State: Sendable {
        /// One count a second, at the second's place modulo their number; the current second's is not complete.
        var counts = [Int](repeating: 0, count: Int(RecentRate.window) + 1)
        var newest: UInt64
        let began: UInt64
    }

    private let state: Mutex<State>

    /// Starts counting.
    package init(now: MonotonicTime = .now) {
        let second = now.nanoseconds / 1_000_000_000
        state = Mutex(State(newest: second, began: second))
    }

    /// Counts `count` of them.
    package func add(_ count: Int, now: MonotonicTime = .now) {
        state.withLock { state in
            let place = state.advance(to: now)
            state.counts[place] += count
        }
    }

    /// The mean over the whole seconds looked back on; of the first second what has come so far.
    package func perSecond(now: MonotonicTime = .now) -> Double {
        state.withLock { state in
            let place = state.advance(to: now)
            let seconds = min(Self.window, state.newest - state.began)
            let current = state.counts[place]
            guard seconds > 0 else { return Double(current) }
            return Double(state.counts.reduce(0, +) - current) / Double(seconds)
        }
    }
}

extension RecentRate.State {
    /// Clears the seconds that have passed, and returns the place of the current one.
    fileprivate mutating func advance(to now: MonotonicTime) -> Int {
        let (second, size) = (now.nanoseconds / 1_000_000_000, UInt64(counts.count))
        if second > newest {
            for passed in max(newest + 1, second - min(second, size - 1))...second { counts[Int(passed % size)] = 0 }
            newest = second
        }
        return Int(newest % size)
    }
}
