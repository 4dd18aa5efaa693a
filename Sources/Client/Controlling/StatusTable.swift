// A daemon's status as lines for people.

import Remote
import StreamProtocol

/// Lays a status out.
package struct StatusTable {
    private static let labelWidth = 12

    private let members: [String: JSON]

    /// Takes the answer to `status`.
    package init(_ reply: ControlReply) { members = reply.members }

    /// The lines, each at most `width` columns where it can be cut.
    package func lines(width: Int) -> [String] {
        var lines: [(String, String)] = [("health", health), ("model", model), ("assigning", assigning)]
        if value("replica")?.members != nil {
            lines.append(("trainer", trainer))
            if let failure { lines.append(("failure", failure)) }
        } else {
            lines.append(("training", training))
        }
        if let loss { lines.append(("loss", loss)) }
        lines.append(("clusters", clusters(width: width - Self.labelWidth)))
        lines.append(("checkpoint", checkpoint))
        lines.append(("version", "\(text("version") ?? "-"), up \(clock(.seconds(number("uptime") ?? 0)))"))
        return lines.map { fitted($0, Self.labelWidth) + printable($1) } + table(queues) + table(senders)
    }

    // MARK: Values

    private func value(_ path: String) -> JSON? {
        path.split(separator: ".").reduce(JSON.object(members)) { $0?.members?[String($1)] }
    }
    private func text(_ path: String) -> String? { value(path)?.text }
    private func number(_ path: String) -> Double? { value(path)?.double }
    private func count(_ path: String) -> String { value(path)?.integer(as: UInt64.self).map { grouped($0) } ?? "-" }
    private func rate(_ path: String) -> String { "\(quantity(number(path) ?? 0))/s" }
    private func isTrue(_ path: String) -> Bool { value(path) == .bool(true) }
    private func percent(_ share: Double) -> String { "\(decimal(share * 100, places: 1))%" }

    // MARK: Lines

    private var health: String {
        let problems = (value("health.problems")?.elements ?? []).compactMap(\.text)
        return isTrue("health.ok") ? "ok" : problems.joined(separator: ", ")
    }

    private var model: String {
        guard let id = text("model.id") else { return "none yet: images wait" }
        return "\(id), step \(count("model.step")), label epoch \(count("model.label_epoch"))"
    }

    private var assigning: String {
        "\(count("assigning.images")) images, \(rate("assigning.images_per_second")), last seq \(count("assigning.seq")), "
            + "\(count("assigning.waiting")) waiting"
    }

    private var training: String {
        var line = isTrue("training.paused") ? "paused at step " : "step "
        line += "\(count("training.step")), \(count("training.images")) images, \(rate("training.images_per_second"))"
        line += ", \(count("training.waiting")) waiting"
        for (key, noun) in [("skipped_steps", "skipped"), ("restorations", "restorations")] {
            if let number = number("training.\(key)"), number > 0 { line += ", \(count("training.\(key)")) \(noun)" }
        }
        return line
    }

    /// The daemon that a replica follows.
    private var trainer: String {
        var line = "\(text("replica.subscribe") ?? "-")\(isTrue("replica.silent") ? " is silent" : "")"
        if let id = text("replica.announced.id") { line += ", announced \(id)" }
        if let lag = value("replica.lag_steps")?.integer(as: Int.self) { line += ", \(counted(lag, "step")) ahead" }
        if let bytes = value("replica.fetching.bytes")?.integer(as: Int.self),
            let total = value("replica.fetching.of")?.integer(as: Int.self)
        {
            line += ", \(byteCount(bytes)) of \(byteCount(total)) fetched"
        }
        return line
    }

    /// What went wrong last with the trainer's checkpoints.
    private var failure: String? {
        guard let reason = text("replica.failure.reason") else { return nil }
        return "\(isTrue("replica.failure.refused") ? "refused: " : "")\(reason)"
    }

    private var loss: String? {
        guard let total = number("training.loss.total") else { return nil }
        let parts = ["instance", "cluster", "entropy"].compactMap { part in
            number("training.loss.\(part)").map { "\(part) \(decimal($0, places: 3))" }
        }
        return "\(decimal(total, places: 3)) (\(parts.joined(separator: ", ")))"
    }

    private func clusters(width: Int) -> String {
        guard let share = number("clusters.largest_share") else { return "-" }
        let sizes = (value("clusters.sizes")?.elements ?? []).map {
            $0.integer(as: UInt64.self).map { grouped($0) } ?? "-"
        }
        let line =
            "\(isTrue("clusters.collapsed") ? "COLLAPSED, " : "")largest \(percent(share)) of late; sizes "
            + sizes.joined(separator: " ")
        return columns(line) > width ? fitted(line, width) : line
    }

    private var checkpoint: String {
        guard let id = text("checkpoint.id") else { return "none yet" }
        var line = "\(id), \(byteCount(value("checkpoint.bytes")?.integer(as: Int.self) ?? 0))"
        if let churn = number("checkpoint.churn") { line += ", churn \(percent(churn))" }
        return line
    }

    private var queues: [[String]] {
        let rows = (value("queues")?.elements ?? []).compactMap { queue -> [String]? in
            guard let members = queue.members, let name = members["name"]?.text else { return nil }
            let bytes = members["bytes"]?.integer(as: Int.self) ?? 0
            return [name, members["images"]?.integer(as: UInt64.self).map { grouped($0) } ?? "-", byteCount(bytes)]
        }
        return rows.isEmpty ? [] : [["queue", "images", "bytes"]] + rows
    }

    private var senders: [[String]] {
        let rows = (value("sources")?.members ?? [:]).sorted { $0.key < $1.key }.compactMap { name, json -> [String]? in
            guard let members = json.members, members["received"] != JSON(0) else { return nil }
            func count(_ key: String) -> String { members[key]?.integer(as: UInt64.self).map { grouped($0) } ?? "-" }
            func sum(_ key: String) -> String {
                grouped((members[key]?.members ?? [:]).values.reduce(0) { $0 + ($1.integer(as: Int.self) ?? 0) })
            }
            return [name, count("received"), count("admitted"), sum("rejected"), sum("dropped"), count("missing")]
        }
        return rows.isEmpty ? [] : [["source", "received", "admitted", "rejected", "dropped", "missing"]] + rows
    }

    /// The rows with an empty line before them, the first column to the left and the others to the right.
    private func table(_ rows: [[String]]) -> [String] {
        guard let header = rows.first else { return [] }
        let rows = rows.map { $0.map(printable) }
        let widths = header.indices.map { column in rows.map { columns($0[column]) }.max() ?? 0 }
        return [""]
            + rows.map { row in
                zip(row, widths).enumerated().map { index, cell in
                    index == 0 ? fitted(cell.0, cell.1) : rightAligned(cell.0, cell.1)
                }.joined(separator: "  ")
            }
    }
}
