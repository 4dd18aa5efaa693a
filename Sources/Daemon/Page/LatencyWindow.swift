// How long images took from being received to their assignment being published, of late.

/// The times of the last images.
struct LatencyWindow: Sendable {
    /// Images looked back on.
    static let size = 2048

    private var nanoseconds: [Int64] = []
    private var next = 0

    /// Notes an image's time.
    mutating func add(_ time: Int64) {
        if nanoseconds.count < Self.size {
            nanoseconds.append(time)
        } else {
            nanoseconds[next] = time
            next = (next + 1) % Self.size
        }
    }

    /// Forgets all.
    mutating func removeAll() {
        nanoseconds.removeAll(keepingCapacity: true)
        next = 0
    }

    /// The median and the 99th percentile in seconds; nil without images.
    var percentiles: (median: Double, high: Double)? {
        guard !nanoseconds.isEmpty else { return nil }
        let sorted = nanoseconds.sorted()
        func rank(_ share: Double) -> Double {
            Double(sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]) * 1e-9
        }
        return (rank(0.5), rank(0.99))
    }
}
