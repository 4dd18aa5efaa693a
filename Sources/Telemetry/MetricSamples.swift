// The values of metrics at a moment, on their way to the text.

/// The series of metrics with their values.
public struct MetricSamples: Sendable {
    /// A series' value.
    enum Value: Sendable, Equatable {
        case number(Double)
        case histogram(Histogram.Snapshot)
    }

    struct Series: Sendable, Equatable {
        var labels: [String]
        var value: Value
    }

    private struct Family: Sendable {
        var series: [Series] = []
        var places: [[String]: Int] = [:]
    }

    private var families: [String: Family] = [:]

    init() {}

    /// The series of a metric, in the order in which they were first added.
    func series(of metric: Metric) -> [Series] { families[metric.name]?.series ?? [] }

    // MARK: Adding

    /// Adds a number to a series; one that is not there yet begins with it. So what is told as one adds up.
    public mutating func add(_ metric: Metric, _ number: Double, labels: [String] = []) {
        update(metric, labels, first: number) { $0 + number }
    }

    /// Adds a whole number to a series.
    public mutating func add(_ metric: Metric, _ number: some BinaryInteger, labels: [String] = []) {
        add(metric, Double(number), labels: labels)
    }

    /// Adds a number to a series, as its shortest decimal has it: 0.1 and not 0.10000000149011612.
    public mutating func add(_ metric: Metric, _ number: Float, labels: [String] = []) {
        add(metric, Double("\(number)") ?? Double(number), labels: labels)
    }

    /// Sets a series to 1 or 0; of several that are told as one, to 1 if one of them is.
    public mutating func add(_ metric: Metric, _ isTrue: Bool, labels: [String] = []) {
        raise(metric, isTrue ? 1 : 0, labels: labels)
    }

    /// Sets a series to a number if it is not larger already: for moments, of which the latest counts.
    public mutating func raise(_ metric: Metric, _ number: Double, labels: [String] = []) {
        update(metric, labels, first: number) { max($0, number) }
    }

    /// Adds a histogram's counts.
    public mutating func add(_ metric: Metric, _ histogram: Histogram.Snapshot, labels: [String] = []) {
        precondition(metric.kind == .histogram, "\(metric.name) is no histogram")
        let place = place(of: metric, labels, first: .histogram(histogram))
        precondition(place == nil, "\(metric.name) is given twice")
    }

    private mutating func update(
        _ metric: Metric, _ labels: [String], first: Double, _ change: (Double) -> Double
    ) {
        precondition(metric.kind != .histogram, "\(metric.name) is a histogram")
        guard let place = place(of: metric, labels, first: .number(first)),
            case .number(let number)? = families[metric.name]?.series[place].value
        else { return }
        families[metric.name]?.series[place].value = .number(change(number))
    }

    /// Where a series is; one that was not there begins with `first`, and nil is returned.
    private mutating func place(of metric: Metric, _ labels: [String], first: Value) -> Int? {
        precondition(labels.count == metric.labels.count, "\(metric.name) has the labels \(metric.labels)")
        if let place = families[metric.name]?.places[labels] { return place }
        families[metric.name, default: Family()].places[labels] = families[metric.name]?.series.count ?? 0
        families[metric.name]?.series.append(Series(labels: labels, value: first))
        return nil
    }
}
