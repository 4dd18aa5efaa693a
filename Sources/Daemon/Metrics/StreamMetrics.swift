// Metrics of what arrives and what becomes of it: senders, queues, connections, answers.

import Telemetry
import ZeroMQ

/// What arrives, and what becomes of it.
enum StreamMetrics {
    // Senders.
    static let received = Metric.counter(
        "clusterd_messages_received_total", "Messages received, whatever became of them", labels: ["source"])
    static let bytes = Metric.counter(
        "clusterd_received_bytes_total", "Bytes of the messages received", labels: ["source"])
    static let admitted = Metric.counter(
        "clusterd_images_admitted_total", "Images put in a queue; some may have been dropped from it later",
        labels: ["source"])
    static let rejected = Metric.counter(
        "clusterd_images_rejected_total", "Messages and images that could not be used, by reason",
        labels: ["source", "reason"])
    static let dropped = Metric.counter(
        "clusterd_images_dropped_total", "Images that a full queue did not keep, by reason",
        labels: ["source", "reason"])
    static let missing = Metric.counter(
        "clusterd_images_missing_total", "Images lost on the way here, by the sender's own numbers", labels: ["source"])
    static let duplicate = Metric.counter(
        "clusterd_images_duplicate_total", "Images whose number had come before, or that came late", labels: ["source"])
    static let restarts = Metric.counter(
        "clusterd_source_restarts_total", "How often a sender began to number anew", labels: ["source"])
    static let ends = Metric.counter(
        "clusterd_source_ends_total", "How often a sender said that no more will come", labels: ["source"])
    static let lastImage = Metric.gauge(
        "clusterd_source_last_image_timestamp_seconds", "When a sender's last image arrived, in seconds since 1970",
        labels: ["source"])
    static let isOpen = Metric.gauge(
        "clusterd_source_open", "1 for a sender that has sent something and has not said that no more will come",
        labels: ["source"])

    // Queues and connections.
    static let queueImages = Metric.gauge(
        "clusterd_queue_images", "Images that wait to be decoded, by configured source", labels: ["queue"])
    static let queueBytes = Metric.gauge(
        "clusterd_queue_bytes", "Bytes of the images that wait to be decoded", labels: ["queue"])
    static let queueImagesLimit = Metric.gauge(
        "clusterd_queue_limit_images", "Images that a queue holds", labels: ["queue"])
    static let queueBytesLimit = Metric.gauge(
        "clusterd_queue_limit_bytes", "Bytes that a queue holds", labels: ["queue"])
    static let connections = Metric.gauge(
        "clusterd_connections", "Connected peers; at the endpoint publish they are the subscribers",
        labels: ["endpoint"])
    static let handshakeFailures = Metric.counter(
        "clusterd_handshake_failures_total", "Who came to an endpoint and did not get in, by reason",
        labels: ["endpoint", "reason"])

    // Answers.
    static let assigned = Metric.counter("clusterd_images_assigned_total", "Images assigned to a cluster")
    static let assignQueue = Metric.gauge("clusterd_assign_queue_images", "Decoded images that wait to be assigned")

    static let all = [
        received, bytes, admitted, rejected, dropped, missing, duplicate, restarts, ends, lastImage, isOpen,
        queueImages, queueBytes, queueImagesLimit, queueBytesLimit, connections, handshakeFailures, assigned,
        assignQueue,
    ]

    /// Senders told apart; all further ones are told as one. They name themselves.
    static let maximumSenders = 100

    /// Adds the values of `report`.
    ///
    /// - Parameters:
    ///   - limits: those of each queue.
    ///   - peers: how many are connected, by endpoint.
    ///   - names: the senders' names that are told.
    static func read(
        _ report: StatusReport, limits: QueueLimits, peers: [String: Int], names: LabelValues,
        into samples: inout MetricSamples
    ) {
        for sender in report.senders { add(sender, named: names.folded(sender.name), to: &samples) }
        for queue in report.queues {
            let labels = [queue.name]
            // A source that has sent nothing yet is at 0, so that its first images are seen as an increase.
            for metric in [received, bytes, admitted, missing] { samples.add(metric, 0, labels: labels) }
            for reason in DroppedImage.Reason.allCases { samples.add(dropped, 0, labels: labels + [reason.rawValue]) }
            samples.add(queueImages, queue.images, labels: labels)
            samples.add(queueBytes, queue.bytes, labels: labels)
            samples.add(queueImagesLimit, limits.maxImages, labels: labels)
            samples.add(queueBytesLimit, limits.maxBytes, labels: labels)
        }
        for (endpoint, count) in peers.sorted(by: { $0.key < $1.key }) {
            samples.add(connections, count, labels: [endpoint])
            for reason in HandshakeFailure.allCases {
                let failures = report.failedHandshakes[endpoint]?[reason] ?? 0
                samples.add(handshakeFailures, failures, labels: [endpoint, reason.rawValue])
            }
        }
        samples.add(assigned, report.assigned.images)
        samples.add(assignQueue, report.waiting.assigning)
    }

    private static func add(_ sender: SourceHealth, named name: String, to samples: inout MetricSamples) {
        let (counters, labels) = (sender.counters, [name])
        samples.add(received, counters.received, labels: labels)
        samples.add(bytes, counters.bytes, labels: labels)
        samples.add(admitted, counters.admitted, labels: labels)
        for (metric, counts) in [(rejected, counters.rejected), (dropped, counters.dropped)] {
            for (reason, count) in counts.sorted(by: { $0.key < $1.key }) {
                samples.add(metric, count, labels: [name, reason])
            }
        }
        samples.add(missing, counters.missing, labels: labels)
        samples.add(duplicate, counters.duplicates, labels: labels)
        samples.add(restarts, counters.restarts, labels: labels)
        samples.add(ends, counters.ends, labels: labels)
        if let last = sender.lastImage { samples.raise(lastImage, Double(last) * 1e-9, labels: labels) }
        samples.add(isOpen, sender.state == .open, labels: labels)
    }
}
