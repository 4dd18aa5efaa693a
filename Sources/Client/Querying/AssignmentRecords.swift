// Assignments as somebody wants to read them: a table, CSV for spreadsheets, or the JSON that was published.

import Glibc
import Remote
import StreamProtocol

/// Writes assignments one by one.
public final class AssignmentRecords {
    /// How they are written.
    public enum Format: String, Sendable, CaseIterable {
        /// Aligned columns, for people.
        case table
        /// RFC 4180, with a header.
        case csv
        /// One JSON object a line, as it was published.
        case json
    }

    private static let flushSize = 64 << 10

    private let format: Format
    private let output: OutputFile
    private let idWidth: Int
    private var buffer: [UInt8] = []

    /// How the output fares.
    public private(set) var outcome = OutputFile.Outcome.written
    /// How many have been written.
    public private(set) var count = 0

    /// Creates a writer.
    public init(format: Format, output: OutputFile = .standard) {
        self.format = format
        self.output = output
        let fixed = Self.sequenceWidth + Self.timeWidth + Self.sourceWidth + Self.clusterWidth + Self.confidenceWidth
        idWidth = max(
            12, min(60, Terminal(descriptor: output.descriptor).size.columns - fixed - 5 * Self.gap.count - 1))
    }

    /// Writes an assignment.
    ///
    /// - Returns: false where the output cannot be written any more.
    public func write(_ assignment: AssignmentMessage) -> Bool {
        if count == 0, let header { buffer += Array((header + "\n").utf8) }
        count += 1
        switch format {
        case .table: buffer += Array(row(assignment).utf8)
        case .csv: buffer += Array(Self.line(assignment).utf8)
        case .json: buffer += assignment.body
        }
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count > Self.flushSize { flush() }
        return outcome == .written
    }

    /// Writes what is left.
    public func end() { flush() }

    private func flush() {
        if outcome == .written { outcome = output.write(buffer) }
        buffer.removeAll(keepingCapacity: true)
    }

    private var header: String? {
        switch format {
        case .table:
            columns(
                "SEQ", "TIME", "SOURCE", "ID",
                [rightAligned("CLUSTER", Self.clusterWidth), rightAligned("CONFIDENCE", Self.confidenceWidth)])
        case .csv:
            "epoch,seq,source,id,source_seq,t,t_received,t_published,cluster,confidence,step,model,label_epoch"
        case .json: nil
        }
    }

    // MARK: Table

    private static let sequenceWidth = 10
    private static let timeWidth = 23
    private static let sourceWidth = 14
    private static let clusterWidth = 7
    private static let confidenceWidth = 10
    private static let gap = "  "

    private func row(_ assignment: AssignmentMessage) -> String {
        columns(
            String(assignment.sequence), Self.localTime(assignment.published), assignment.source,
            assignment.id ?? assignment.sourceSequence.map { "#\($0)" } ?? "-",
            [
                rightAligned(String(assignment.cluster), Self.clusterWidth),
                rightAligned(decimal(Double(assignment.confidence), places: 3), Self.confidenceWidth),
            ])
    }

    private func columns(
        _ sequence: String, _ time: String, _ source: String, _ id: String, _ figures: [String]
    ) -> String {
        ([
            rightAligned(sequence, Self.sequenceWidth), fitted(time, Self.timeWidth),
            fitted(printable(source), Self.sourceWidth), fitted(printable(id), idWidth, keepingEnd: true),
        ] + figures).joined(separator: Self.gap)
    }

    /// `2026-11-24 08:30:15.123`.
    private static func localTime(_ nanoseconds: Int64) -> String {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        let date = "\(1900 + parts.tm_year)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        return date + " " + timeOfDay(nanoseconds)
    }

    private static func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }

    // MARK: CSV

    private static func line(_ assignment: AssignmentMessage) -> String {
        func optional(_ number: (some BinaryInteger)?) -> String { number.map { "\($0)" } ?? "" }
        return [
            quoted(assignment.epoch), "\(assignment.sequence)", assignment.source, quoted(assignment.id ?? ""),
            optional(assignment.sourceSequence), optional(assignment.taken), "\(assignment.received)",
            "\(assignment.published)", "\(assignment.cluster)",
            assignment.confidence.isNaN ? "" : "\(assignment.confidence)", "\(assignment.step)",
            quoted(assignment.model), "\(assignment.labelEpoch)",
        ].joined(separator: ",")
    }

    private static func quoted(_ text: String) -> String {
        text.utf8.contains { [UInt8(ascii: ","), UInt8(ascii: "\""), 0x0A, 0x0D].contains($0) }
            ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }
}
