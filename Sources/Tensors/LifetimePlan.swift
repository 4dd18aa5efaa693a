// Which tensors of a schedule can share memory: each lives from the first operation that uses it to the last one, and what
// does not live at the same time may lie at the same place. The schedule is gone through once, before anything is allocated.

/// Collects tensors and the operations that use them, in their order, and places the tensors in one block of memory.
public struct LifetimePlan: Sendable {
    private struct Lifetime {
        let size: Int
        var first = Int.max
        var last = -1

        func overlaps(_ other: Lifetime) -> Bool { first <= other.last && other.first <= last }
    }

    /// Where the tensors of a plan lie.
    public struct Placement: Sendable {
        /// The first float of each tensor, in the order in which they were added.
        public let offsets: [Int]
        /// Floats that all of them take together.
        public let count: Int
    }

    private var tensors: [Lifetime] = []
    private var operations = 0

    /// Creates a plan of nothing.
    public init() {}

    /// Declares a tensor of `size` floats, which lies on cache lines of its own.
    ///
    /// - Returns: its number, from 0.
    public mutating func add(_ size: Int) -> Int {
        precondition(size >= 0)
        tensors.append(Lifetime(size: (size + 15) / 16 * 16))
        return tensors.count - 1
    }

    /// Declares the next operation, which reads or writes the tensors of these numbers.
    public mutating func use(_ numbers: [Int]) {
        for number in numbers {
            tensors[number].first = min(tensors[number].first, operations)
            tensors[number].last = operations
        }
        operations += 1
    }

    /// Floats that live during the operation that needs most of them: no placement takes less.
    public var largestUse: Int {
        (0..<operations).map { now in
            tensors.reduce(0) { $0 + ($1.first <= now && now <= $1.last ? $1.size : 0) }
        }.max() ?? 0
    }

    /// Places the tensors, the largest first, each at the lowest place that is free for as long as it lives.
    public func placed() -> Placement {
        var offsets = [Int](repeating: 0, count: tensors.count)
        // By offset, so that the gaps between those in the way are found in one pass.
        var placed: [Int] = []
        var count = 0
        // Of equal ones the first comes first; sorting alone does not promise that.
        for number in tensors.indices.sorted(by: { (-tensors[$0].size, $0) < (-tensors[$1].size, $1) }) {
            let tensor = tensors[number]
            var offset = 0
            for other in placed where tensors[other].overlaps(tensor) {
                if offsets[other] >= offset + tensor.size { break }
                offset = max(offset, offsets[other] + tensors[other].size)
            }
            offsets[number] = offset
            placed.insert(number, at: placed.firstIndex { offsets[$0] > offset } ?? placed.count)
            count = max(count, offset + tensor.size)
        }
        return Placement(offsets: offsets, count: count)
    }
}
