// The answers of control operations as text for people, or as the JSON that came.

import Remote
import StreamProtocol

/// Shows answers.
public struct ControlDisplay {
    /// JSON for programs instead of lines for people.
    private let json: Bool
    private let width: Int

    /// Creates a display; `json` as the daemon said it.
    public init(json: Bool, terminal: Terminal = .output) {
        self.json = json
        width = terminal.isInteractive ? terminal.size.columns : 120
    }

    /// Asks for `operation` and returns its answer as text.
    ///
    /// - Parameter arguments: the operation's arguments, all of them strings.
    /// - Throws: `ControlError`.
    public func answer(
        to operation: String, _ arguments: [String: String] = [:], from client: ControlClient
    ) throws(ControlError) -> String {
        let reply = try client.ask(operation, arguments.mapValues { .string($0) })
        return text(of: reply, to: operation)
    }

    /// An answer as text.
    package func text(of reply: ControlReply, to operation: String) -> String {
        if json { return String(decoding: reply.frames[0], as: UTF8.self) }
        switch operation {
        case "status": return StatusTable(reply).lines(width: width).joined(separator: "\n")
        case "checkpoints":
            let list = reply.members["checkpoints"]?.elements ?? []
            return list.isEmpty ? "no checkpoint yet" : list.map(Self.line(of:)).joined(separator: "\n")
        case "save": return reply.members["checkpoint"].map(Self.line(of:)) ?? "saved"
        case "pause", "resume":
            return reply.members["paused"] == .bool(true) ? "training is paused" : "training goes on"
        case "reload", "rollback": return Self.change(reply)
        default:
            return reply.members.sorted { $0.key < $1.key }.map { "\($0.key): \(Self.plain($0.value))" }
                .joined(separator: "\n")
        }
    }

    private static func line(of checkpoint: JSON) -> String {
        let members = checkpoint.members ?? [:]
        let id = printable(members["id"]?.text ?? "-")
        let bytes = byteCount(members["bytes"]?.integer(as: Int.self) ?? 0)
        return
            "\(fitted(id, max(24, columns(id))))  \(rightAligned(bytes, 9))  \(printable(members["sha256"]?.text ?? "-"))"
    }

    /// What serves after a change of model, and how sure the map from old clusters to new ones is.
    private static func change(_ reply: ControlReply) -> String {
        let model = reply.members["model"]?.members ?? [:]
        let relabeling = reply.members["relabeling"]?.members ?? [:]
        var lines = [
            "\(printable(model["id"]?.text ?? "-")) serves, label epoch \(model["label_epoch"]?.integer(as: Int.self) ?? 0)"
        ]
        if let agreement = relabeling["agreement"]?.double {
            let images = relabeling["images"]?.integer(as: Int.self) ?? 0
            lines[0] +=
                "; the map from old clusters to new ones holds for \(decimal(100 * agreement, places: 1))% of "
                + counted(images, "remembered image")
        }
        if let failure = reply.members["save_failure"]?.text {
            lines.append("its checkpoint could not be written, which is tried again: \(printable(failure))")
        }
        return lines.joined(separator: "\n")
    }

    private static func plain(_ value: JSON) -> String {
        if let text = value.text { return printable(text) }
        var writer = JSONWriter()
        value.write(to: &writer)
        return printable(String(decoding: writer.bytes, as: UTF8.self))
    }
}
