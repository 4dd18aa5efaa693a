// `clusterd inspect`: what is in a checkpoint, and whether it is whole.

import ArgumentParser
import Checkpoints
import Foundation
import Remote

/// Shows what a checkpoint holds.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Shows what is in a checkpoint, and whether it is whole.",
        discussion: """
            Reads the whole file and checks every byte of it against the checksum that it carries. Exits with 74 and the \
            reason where the file is damaged, cut off or no checkpoint.

            Examples:
              clusterd inspect ~/.local/state/clusterd/step-000001200.safetensors
              clusterd inspect --json --tensors step-000001200.safetensors
            """)

    @Argument(help: "The checkpoint file.", completion: .file(extensions: ["safetensors"]))
    var checkpoint: String

    @Flag(help: "Print one JSON object instead of lines for people.")
    var json = false

    @Flag(help: "Show every tensor too: shape, norm, smallest and largest element.")
    var tensors = false

    func run() throws {
        do {
            var summary = CheckpointSummary(try Checkpoint(path: checkpoint))
            if !tensors { summary.tensors = nil }
            print(json ? try Self.json(Report(path: checkpoint, whole: true, summary: summary)) : lines(of: summary))
        } catch let error as CheckpointError {
            if json { print(try Self.json(Report(path: checkpoint, whole: false, error: Self.printable("\(error)")))) }
            FileHandle.standardError.write(Data("error: \(Self.printable("\(error)"))\n".utf8))
            throw ExitCode(74)
        }
    }

    /// What `--json` prints.
    private struct Report: Encodable {
        var path: String
        var whole: Bool
        var error: String?
        var summary: CheckpointSummary?

        private enum CodingKeys: String, CodingKey { case path, whole, error }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(path, forKey: .path)
            try container.encode(whole, forKey: .whole)
            try container.encodeIfPresent(error, forKey: .error)
            try summary?.encode(to: encoder)
        }
    }

    private static func json(_ report: Report) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(report), as: UTF8.self)
    }

    private func lines(of summary: CheckpointSummary) -> String {
        let written = Date(timeIntervalSince1970: Double(summary.time) / 1e9).formatted(.iso8601)
        let rows = [
            ("file", checkpoint),
            ("whole", "yes, the checksum agrees"),
            ("format", summary.format),
            ("step", "\(summary.step)"),
            ("written", written),
            ("model", "\(summary.architecture), \(summary.clusters) clusters, \(summary.featureDim) features"),
            ("image size", "\(summary.imageSize) pixels"),
            ("label epoch", "\(summary.labelEpoch)"),
            ("parameters", "\(Self.grouped(summary.parameters)), norm \(Self.short(summary.norm))"),
            ("optimizer", summary.hasOptimizer ? "yes, training can go on" : "no, for assigning only"),
            ("not finite", summary.notFinite == 0 ? "none" : "\(Self.grouped(summary.notFinite)) elements"),
            ("size", "\(Self.grouped(summary.bytes)) bytes, \(Self.grouped(summary.modelBytes)) of them the model"),
            ("sha256", summary.sha256),
            ("config", summary.configuration),
        ]
        var lines = rows.map { Self.padded($0.0, to: 13) + Self.printable($0.1) }
        if let tensors = summary.tensors { lines += [""] + Self.table(of: tensors) }
        return lines.joined(separator: "\n")
    }

    private static func table(of tensors: [CheckpointSummary.Tensor]) -> [String] {
        let rows =
            [["tensor", "type", "shape", "norm", "smallest", "largest", ""]]
            + tensors.map { tensor in
                [
                    printable(tensor.name), tensor.dtype, "\(tensor.shape)", short(tensor.norm),
                    tensor.minimum.map(short) ?? "-", tensor.maximum.map(short) ?? "-",
                    tensor.notFinite > 0 ? "\(tensor.notFinite) not finite" : "",
                ]
            }
        let widths = (0..<rows[0].count).map { column in (rows.map { $0[column].count }.max() ?? 0) + 2 }
        return rows.map { row in
            let line = zip(row, widths).map { padded($0, to: $1) }.joined()
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// Digits in groups of three.
    private static func grouped(_ number: Int) -> String {
        number.formatted(.number.locale(Locale(identifier: "en_US")))
    }

    private static func short(_ number: Double) -> String { String(format: "%.5g", number) }

    /// Text from a file as it may go to a terminal: no control characters.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
    }
}
