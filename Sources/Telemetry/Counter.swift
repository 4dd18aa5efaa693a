// Single values that any thread may change, each an atomic number: changing one costs some nanoseconds and never waits.

import Synchronization

/// A count that only grows.
public final class Counter: MetricSource {
    private let count = Atomic<UInt64>(0)

    /// Creates a counter at 0.
    public init() {}

    /// The count.
    public var value: UInt64 { count.load(ordering: .relaxed) }

    /// Adds to the count.
    public func add(_ number: Int = 1) {
        precondition(number >= 0, "a counter only grows")
        count.wrappingAdd(UInt64(number), ordering: .relaxed)
    }

    /// Reads the value of `metric`, which has no labels.
    public func read(_ metric: Metric, into samples: inout MetricSamples) { samples.add(metric, value) }
}

/// A number that goes up and down.
public final class Gauge: MetricSource {
    private let bits: Atomic<UInt64>

    /// Creates a gauge.
    public init(_ value: Double = 0) { bits = Atomic(value.bitPattern) }

    /// The number.
    public var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    /// Changes the number.
    public func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    /// Reads the value of `metric`, which has no labels.
    public func read(_ metric: Metric, into samples: inout MetricSamples) { samples.add(metric, value) }
}
