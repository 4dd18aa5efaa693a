// Counts of values by their size, for what a mean would hide, such as the slowest of a hundred answers.
//
// Behind a lock and not of atomics: sum and counts then belong together whenever they are read, and a lock that is held for
// an addition costs less than the atomic additions it replaces.

import Synchronization

/// Counts values in buckets; thread-safe.
public final class Histogram: MetricSource {
    /// The counts at a moment.
    public struct Snapshot: Sendable, Equatable {
        /// The buckets' upper bounds, each of which belongs to its bucket, ascending.
        public let bounds: [Double]
        /// How many values each bucket has, not those below it; the last one's are above every bound.
        public fileprivate(set) var counts: [UInt64]
        /// The values' sum.
        public fileprivate(set) var sum = 0.0

        /// How many values there are.
        public var count: UInt64 { counts.reduce(0, &+) }

        fileprivate mutating func record(_ value: Double) {
            guard value.isFinite else { return }
            counts[bucket(of: value)] &+= 1
            sum += value
        }

        /// The first bucket whose bound is not below `value`, by bisection.
        private func bucket(of value: Double) -> Int {
            var (low, high) = (0, bounds.count)
            while low < high {
                let middle = (low + high) / 2
                if bounds[middle] < value { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    private let state: Mutex<Snapshot>

    /// Creates an empty histogram.
    ///
    /// - Parameter bounds: the buckets' upper bounds, finite and ascending; one more bucket has what is above them.
    public init(bounds: [Double]) {
        precondition(
            !bounds.isEmpty && bounds.allSatisfy(\.isFinite) && zip(bounds, bounds.dropFirst()).allSatisfy(<),
            "bounds ascend")
        state = Mutex(Snapshot(bounds: bounds, counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    /// Counts a value; one that is no finite number is left out.
    public func record(_ value: Double) { state.withLock { $0.record(value) } }

    /// Counts values at once; those that are no finite numbers are left out.
    public func record(_ values: some Sequence<Double>) {
        state.withLock { state in
            for value in values { state.record(value) }
        }
    }

    /// The counts at this moment.
    public var snapshot: Snapshot { state.withLock { $0 } }

    /// Reads the values of `metric`, which has no labels.
    public func read(_ metric: Metric, into samples: inout MetricSamples) { samples.add(metric, snapshot) }
}
