// All metrics of a program, and the text with their values.
//
// What is counted anyway is read when somebody asks, by a function, and not counted a second time.

import Synchronization

/// Something that knows the values of a metric.
public protocol MetricSource: Sendable {
    /// Adds the values of `metric` at this moment.
    func read(_ metric: Metric, into samples: inout MetricSamples)
}

/// The metrics of a program; thread-safe.
public final class MetricRegistry: Sendable {
    private struct Entry: Sendable {
        var metrics: [Metric]
        var read: @Sendable (inout MetricSamples) -> Void
    }

    private let entries = Mutex<[Entry]>([])

    /// Creates an empty registry.
    public init() {}

    /// Adds a metric whose values `source` has.
    public func add(_ metric: Metric, _ source: some MetricSource) {
        add([metric]) { source.read(metric, into: &$0) }
    }

    /// Adds metrics whose values `read` gives; called for each text, on the thread that asks for it.
    public func add(_ metrics: [Metric], _ read: @escaping @Sendable (inout MetricSamples) -> Void) {
        entries.withLock { entries in
            var names = Set(entries.flatMap(\.metrics).map(\.name))
            for metric in metrics {
                precondition(names.insert(metric.name).inserted, "there are two metrics \(metric.name)")
            }
            entries.append(Entry(metrics: metrics, read: read))
        }
    }

    /// All metrics, in the order in which they were added.
    public var metrics: [Metric] { entries.withLock { $0.flatMap(\.metrics) } }

    /// All metrics with their values, in Prometheus's text format. A metric without a series is told as well, so that a reader
    /// finds what there is.
    public func text() -> String {
        // The lock is not held while values are read: a reader may take other locks.
        let entries = entries.withLock { $0 }
        var text = MetricText()
        for entry in entries {
            var samples = MetricSamples()
            entry.read(&samples)
            for metric in entry.metrics { text.append(metric, samples.series(of: metric)) }
        }
        return text.text
    }

    /// The Content-Type of `text`.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"
}
