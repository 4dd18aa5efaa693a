// Counts by label, for events rare enough that a lock and a dictionary cost nothing beside them.

import Synchronization

/// Counters that differ in their labels' values, which need not be known before; thread-safe.
public final class CounterFamily: MetricSource {
    private let values: [LabelValues]
    private let counts = Mutex<[[String]: UInt64]>([:])

    /// Creates a family without a counter.
    ///
    /// - Parameters:
    ///   - labels: how many labels there are.
    ///   - limit: how many values of each are told apart.
    ///   - known: the label values of counters that are there from the beginning, at 0: a rate over a counter that appears
    ///     with its first event misses that event.
    public init(labels: Int, limit: Int = 32, known: [[String]] = []) {
        precondition(known.allSatisfy { $0.count == labels }, "each counter has a value for each label")
        values = (0..<labels).map { index in LabelValues(limit: limit, known: known.map { $0[index] }) }
        counts.withLock { counts in
            for labels in known { counts[labels] = 0 }
        }
    }

    /// Adds to the counter of these label values.
    public func add(_ number: Int = 1, _ labels: String...) {
        precondition(number >= 0, "a counter only grows")
        precondition(labels.count == values.count, "a value for each label")
        let folded = zip(values, labels).map { $0.folded($1) }
        counts.withLock { $0[folded, default: 0] &+= UInt64(number) }
    }

    /// The count of these label values.
    public func value(_ labels: String...) -> UInt64 { counts.withLock { $0[labels] ?? 0 } }

    /// Reads the values of `metric`, which has as many labels.
    public func read(_ metric: Metric, into samples: inout MetricSamples) {
        let counts = counts.withLock { $0 }
        for (labels, count) in counts.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            samples.add(metric, count, labels: labels)
        }
    }
}
