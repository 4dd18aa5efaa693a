// Metrics of what is kept, and of what operators ask for: checkpoints, the journal, reloads, control requests.

import Telemetry

/// Checkpoints, the journal and control.
enum KeepingMetrics {
    static let checkpoints = Metric.counter(
        "clusterd_checkpoint_writes_total", "Checkpoints written, by result: ok or failed", labels: ["result"])
    static let checkpointDuration = Metric.histogram(
        "clusterd_checkpoint_write_duration_seconds", "Time that writing a checkpoint took, those that failed left out")
    static let checkpointTime = Metric.gauge(
        "clusterd_checkpoint_timestamp_seconds",
        "When the newest checkpoint was written, in seconds since 1970; its age is time() less this")
    static let checkpointBytes = Metric.gauge("clusterd_checkpoint_bytes", "Size of the newest checkpoint")
    static let checkpointStep = Metric.gauge("clusterd_checkpoint_step", "The newest checkpoint's step")
    static let churn = Metric.gauge(
        "clusterd_churn_ratio", "Share of the remembered images that changed cluster between the last two checkpoints")
    static let reloads = Metric.counter(
        "clusterd_reloads_total", "Reloads and rollbacks, by operation and result", labels: ["operation", "result"])
    static let requests = Metric.counter(
        "clusterd_control_requests_total", "Control requests answered, by operation and result",
        labels: ["operation", "result"])

    static let journalRows = Metric.gauge("clusterd_journal_rows", "Assignments in the journal, about")
    static let journalBytes = Metric.gauge("clusterd_journal_bytes", "Bytes of the journal on disk")
    static let journalFailures = Metric.counter(
        "clusterd_journal_failures_total", "How often the journal began to fail, or was found damaged")
    static let journalWaiting = Metric.gauge(
        "clusterd_journal_waiting_assignments", "Assignments that wait in memory since the journal cannot be written")
    static let journalLost = Metric.counter(
        "clusterd_journal_lost_assignments_total", "Assignments that were published and are in no journal")

    /// Read from a report.
    static let reported = [
        checkpointTime, checkpointBytes, checkpointStep, churn, journalRows, journalBytes, journalWaiting, journalLost,
    ]

    /// Adds the values of `report`.
    static func read(_ report: StatusReport, into samples: inout MetricSamples) {
        if let newest = report.checkpoint {
            samples.add(checkpointTime, Double(newest.record.time) * 1e-9)
            samples.add(checkpointBytes, newest.record.bytes)
            samples.add(checkpointStep, newest.record.step)
            if let share = newest.churn?.share { samples.add(churn, share) }
        }
        samples.add(journalRows, report.journal.rows)
        samples.add(journalBytes, report.journal.bytes)
        samples.add(journalWaiting, report.journal.waiting)
        samples.add(journalLost, report.journal.lost)
    }
}
