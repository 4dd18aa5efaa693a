// What a metric is called and means, apart from its values: names by Prometheus's rules, so that whoever knows another
// program's metrics can read these.

/// A metric's name, kind, meaning and labels.
public struct Metric: Sendable, Hashable {
    /// How values behave, as the text's `TYPE` says it.
    public enum Kind: String, Sendable, CaseIterable {
        /// Counts up, from 0 at the start of the process.
        case counter
        /// Goes up and down.
        case gauge
        /// Counts values by their size.
        case histogram
    }

    /// The name, such as `clusterd_received_bytes_total`.
    public let name: String
    /// How values behave.
    public let kind: Kind
    /// What it means, in a sentence of one line without a full stop.
    public let help: String
    /// The labels' names; every series has a value for each, in this order.
    public let labels: [String]

    private init(_ kind: Kind, _ name: String, _ help: String, labels: [String]) {
        precondition(name.wholeMatch(of: /[a-zA-Z_:][a-zA-Z0-9_:]*/) != nil, "\(name) is no metric's name")
        precondition(
            (kind == .counter) == name.hasSuffix("_total"), "\(name): counters end in _total, and nothing else does")
        for suffix in ["_count", "_sum", "_bucket"] {
            precondition(!name.hasSuffix(suffix), "\(name) would be taken for a part of a histogram")
        }
        precondition(!help.isEmpty, "\(name) has no help")
        for label in labels {
            precondition(
                label.wholeMatch(of: /[a-zA-Z_][a-zA-Z0-9_]*/) != nil && !label.hasPrefix("__") && label != "le",
                "\(label) is no label's name")
        }
        precondition(Set(labels).count == labels.count, "\(name) has a label twice")
        self.kind = kind
        self.name = name
        self.help = help
        self.labels = labels
    }

    /// Something that counts up; its name ends in `_total`.
    public static func counter(_ name: String, _ help: String, labels: [String] = []) -> Metric {
        Metric(.counter, name, help, labels: labels)
    }

    /// Something that goes up and down.
    public static func gauge(_ name: String, _ help: String, labels: [String] = []) -> Metric {
        Metric(.gauge, name, help, labels: labels)
    }

    /// Something that is counted by its size.
    public static func histogram(_ name: String, _ help: String, labels: [String] = []) -> Metric {
        Metric(.histogram, name, help, labels: labels)
    }
}
