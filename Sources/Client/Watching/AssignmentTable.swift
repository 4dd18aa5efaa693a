// Assignments as rows of a table that fits its terminal: time, source, id, cluster, confidence, latency.

import Remote
import StreamProtocol

/// Lays out rows for a width.
package struct AssignmentTable {
    private static let timeWidth = 12
    private static let clusterWidth = 7
    private static let confidenceWidth = 10
    private static let latencyWidth = 10
    private static let gap = "  "

    private let sourceWidth: Int
    private let idWidth: Int

    /// Shares out what the columns of fixed width leave.
    package init(width: Int) {
        let fixed = Self.timeWidth + Self.clusterWidth + Self.confidenceWidth + Self.latencyWidth + 5 * Self.gap.count
        let rest = max(16, width - 1 - fixed)
        sourceWidth = max(6, min(16, rest / 3))
        idWidth = min(60, rest - sourceWidth)
    }

    /// The names of the columns.
    package var header: String {
        line(
            "TIME", "SOURCE", "ID",
            [
                rightAligned("CLUSTER", Self.clusterWidth), rightAligned("CONFIDENCE", Self.confidenceWidth),
                rightAligned("LATENCY", Self.latencyWidth),
            ])
    }

    /// The latency is from the image's arrival at the daemon to publishing, both by the daemon's clock.
    package func row(_ assignment: AssignmentMessage) -> String {
        let latency = Double(assignment.published) - Double(assignment.received)
        return line(
            timeOfDay(assignment.published), assignment.source, Self.name(assignment),
            [
                rightAligned(String(assignment.cluster), Self.clusterWidth),
                rightAligned(decimal(Double(assignment.confidence), places: 3), Self.confidenceWidth),
                rightAligned("\(quantity(latency / 1e6)) ms", Self.latencyWidth),
            ])
    }

    /// A rejection says its reason where an assignment has its figures.
    package func row(_ rejected: RejectedMessage, at time: Int64) -> String {
        let width = Self.clusterWidth + Self.confidenceWidth + Self.latencyWidth + 2 * Self.gap.count
        return line(
            timeOfDay(time), rejected.source, rejected.id ?? "-",
            [fitted("rejected: \(printable(rejected.reason))", width)])
    }

    private func line(_ time: String, _ source: String, _ id: String, _ figures: [String]) -> String {
        ([
            fitted(time, Self.timeWidth), fitted(printable(source), sourceWidth),
            // The end of a path tells more than its beginning.
            fitted(printable(id), idWidth, keepingEnd: true),
        ] + figures).joined(separator: Self.gap)
    }

    private static func name(_ assignment: AssignmentMessage) -> String {
        assignment.id ?? assignment.sourceSequence.map { "#\($0)" } ?? "-"
    }

}
