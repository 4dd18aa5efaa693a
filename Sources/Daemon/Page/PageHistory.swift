// Numbers over the whole run, for curves: when there are too many, every second one goes, so memory is bounded.

import StreamProtocol

/// A run's numbers.
package struct PageHistory: Sendable {
    /// Points kept; half of them after a thinning.
    package static let capacity = 600
    /// What a point has, in this order, after its time in milliseconds since 1970.
    static let series = [
        "loss", "instance", "cluster", "entropy", "assigned", "trained", "median", "high", "nmi", "accuracy",
    ]

    /// A moment's numbers.
    package struct Point: Sendable {
        /// Milliseconds since 1970.
        package var time: Int64
        /// One value a series; nil where there is none.
        package var values: [Double?]

        /// Creates a point.
        package init(time: Int64, values: [Double?]) {
            self.time = time
            self.values = values
        }

        var json: JSON { .array([JSON(time)] + values.map { $0.map { JSON(Self.rounded($0)) } ?? .null }) }

        /// Four digits: what a curve of some hundred pixels shows.
        private static func rounded(_ value: Double) -> Double {
            guard value.isFinite, value != 0 else { return value }
            var (scale, size) = (1.0, abs(value))
            while size < 1000, scale < 1e9 { (scale, size) = (scale * 10, size * 10) }
            return (value * scale).rounded() / scale
        }
    }

    package private(set) var points: [Point] = []
    /// Seconds between two points.
    package private(set) var interval = 2
    private var seconds = 0

    /// Creates an empty history.
    package init() {}

    /// Whether a second that has passed completes an interval, so that a point is due.
    package mutating func isDue() -> Bool {
        seconds += 1
        guard seconds >= interval else { return false }
        seconds = 0
        return true
    }

    /// Adds a point; true where others have been left out for it.
    package mutating func add(_ point: Point) -> Bool {
        points.append(point)
        guard points.count >= Self.capacity else { return false }
        points = points.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        interval *= 2
        return true
    }

    /// All of it.
    var json: JSON {
        .object([
            "series": .array(Self.series.map { .string($0) }), "interval": JSON(interval),
            "points": .array(points.map(\.json)),
        ])
    }
}
