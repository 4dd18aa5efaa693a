// The text that Prometheus reads: prometheus.io/docs/instrumenting/exposition_formats, text format version 0.0.4.

/// Builds the text, a metric after another.
struct MetricText {
    private(set) var text = ""

    /// Appends a metric: what it is, then its series.
    mutating func append(_ metric: Metric, _ series: [MetricSamples.Series]) {
        text +=
            "# HELP \(metric.name) \(Self.escapedHelp(metric.help))\n# TYPE \(metric.name) \(metric.kind.rawValue)\n"
        for series in series {
            let labels = zip(metric.labels, series.labels).map { (name: $0, value: $1) }
            switch series.value {
            case .number(let number): line(metric.name, labels, number)
            case .histogram(let histogram): append(metric.name, labels, histogram)
            }
        }
    }

    private typealias Labels = [(name: String, value: String)]

    private mutating func append(_ name: String, _ labels: Labels, _ histogram: Histogram.Snapshot) {
        var count: UInt64 = 0
        for (bound, inBucket) in zip(histogram.bounds + [.infinity], histogram.counts) {
            count &+= inBucket
            line(name + "_bucket", labels + [("le", Self.number(bound))], Double(count))
        }
        line(name + "_sum", labels, histogram.sum)
        line(name + "_count", labels, Double(count))
    }

    private mutating func line(_ name: String, _ labels: Labels, _ value: Double) {
        text += name
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.name)=\"\(Self.escapedValue($0.value))\"" }
            text += "{" + pairs.joined(separator: ",") + "}"
        }
        text += " \(Self.number(value))\n"
    }

    /// A number as Go's ParseFloat reads it.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        // Every whole number up to here is exact.
        return abs(value) <= 9_007_199_254_740_992 && value == value.rounded() ? "\(Int64(value))" : "\(value)"
    }

    private static func escapedHelp(_ text: String) -> String { escaped(text, quotes: false) }

    private static func escapedValue(_ text: String) -> String { escaped(text, quotes: true) }

    /// Scalar by scalar: a line feed that follows a carriage return would else pass as one character with it.
    private static func escaped(_ text: String, quotes: Bool) -> String {
        guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x0A || (quotes && $0 == 0x22) }) else { return text }
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped.append(contentsOf: "\\\\".unicodeScalars)
            case "\n": escaped.append(contentsOf: "\\n".unicodeScalars)
            case "\"" where quotes: escaped.append(contentsOf: "\\\"".unicodeScalars)
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}
