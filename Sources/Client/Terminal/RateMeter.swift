// A rate over the last seconds: what a feed does now says more about its end than what it did at first.

/// Counts per second over a sliding window.
struct RateMeter {
    private static let window = Duration.seconds(10)

    private var samples: [(time: ContinuousClock.Instant, count: Int)] = []

    /// Notes the count at a time; both ascend.
    mutating func note(_ count: Int, at time: ContinuousClock.Instant) {
        samples.append((time, count))
        // The sample before the window stays, so that the window is covered.
        while samples.count > 2, time - samples[1].time > Self.window { samples.removeFirst() }
    }

    /// Counts per second; nil until there are two samples.
    var perSecond: Double? {
        guard let first = samples.first, let last = samples.last, last.time > first.time else { return nil }
        return Double(last.count - first.count) / ((last.time - first.time) / .seconds(1))
    }
}
