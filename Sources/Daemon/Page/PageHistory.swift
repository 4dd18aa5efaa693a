// Numbers for curves: of the last minutes all, of the whole run as many as fit, every second one going when there are too many.

import StreamProtocol

/// A run's numbers.
package struct PageHistory: Sendable {
    /// Seconds between two points.
    package static let interval = 2
    /// Points of the last minutes.
    package static let recentPoints = 300
    /// Points of the whole run; half of them after a thinning.
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

    /// What became of a point beyond the last minutes.
    package enum Change: Sendable {
        /// Nothing.
        case none
        /// It was kept.
        case kept
        /// It was kept, and others have been left out for it.
        case thinned
    }

    /// The points of the last minutes.
    package private(set) var recent: [Point] = []
    /// Points of the whole run, evenly spaced.
    package private(set) var whole: [Point] = []
    private var stride = 1
    private var skipped = 0

    /// Creates an empty history.
    package init() {}

    /// Adds the next point.
    package mutating func add(_ point: Point) -> Change {
        recent.append(point)
        if recent.count > Self.recentPoints { recent.removeFirst() }
        skipped += 1
        guard skipped >= stride else { return .none }
        skipped = 0
        whole.append(point)
        guard whole.count >= Self.capacity else { return .kept }
        // The newest stays, so that the next comes at its distance.
        whole = whole.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        stride *= 2
        return .thinned
    }

    /// All of it.
    var json: JSON {
        .object([
            "series": .array(Self.series.map { .string($0) }), "recent": .array(recent.map(\.json)),
            "whole": .array(whole.map(\.json)),
        ])
    }
}
