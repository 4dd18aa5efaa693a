// What a run of the daemon came to, in one line.

/// Counts over a whole run.
public struct ServiceSummary: Sendable, Equatable {
    /// Messages received.
    public var received: UInt64
    /// Images admitted to a queue.
    public var admitted: UInt64
    /// Images assigned to a cluster.
    public var assigned: UInt64
    /// Images trained on.
    public var trained: UInt64
    /// Training steps.
    public var steps: UInt64
    /// Messages and images rejected, by reason.
    public var rejected: [String: UInt64]
    /// Images dropped from full queues, by reason.
    public var dropped: [String: UInt64]
    /// Images assigned but not trained on since training was behind.
    public var leftOutBehind: UInt64
    /// Images assigned but not trained on since training was paused.
    public var leftOutPaused: UInt64
    /// Images assigned but not trained on since too few were left for a last mini-batch.
    public var leftOutRest: UInt64
    /// Images lost on the way here, by the senders' own numbers.
    public var missing: UInt64

    package init(statistics: StreamStatistics, counters: PipelineCounters) {
        let total = statistics.total
        received = total.received
        admitted = total.admitted
        rejected = total.rejected
        dropped = total.dropped
        missing = total.missing
        assigned = counters.assigned
        trained = counters.trained
        steps = counters.steps
        leftOutBehind = counters.leftOutBufferFull
        leftOutPaused = counters.leftOutPaused
        leftOutRest = counters.leftOutRest
    }

    /// The counts as `key=value`, those by reason as `key.reason=value`.
    public var fields: [(key: String, value: String)] {
        func byReason(_ key: String, _ counts: [String: UInt64]) -> [(String, UInt64)] {
            [(key, counts.values.reduce(0, +))] + counts.sorted { $0.key < $1.key }.map { ("\(key).\($0)", $1) }
        }
        let counts: [(String, UInt64)] =
            [
                ("received", received), ("admitted", admitted), ("assigned", assigned), ("trained", trained),
                ("steps", steps),
            ]
            + byReason("rejected", rejected) + byReason("dropped", dropped)
            + byReason(
                "left_out",
                ["training_behind": leftOutBehind, "paused": leftOutPaused, "rest": leftOutRest].filter {
                    $0.value > 0
                })
            + [("missing", missing)]
        return counts.map { ($0, "\($1)") }
    }
}
