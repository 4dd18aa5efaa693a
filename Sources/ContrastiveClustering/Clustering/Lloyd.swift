// One start of k-means: seeds, then assignment and means in turn until nothing changes.

import Tensors

/// Lloyd's algorithm on a fixed set of vectors, with the memory that its iterations share.
struct Lloyd {
    private let rows: Rows
    private let clusters: Int
    private var nearest: [Int]
    private var distances: [Float]

    init(rows: Rows, clusters: Int) {
        self.rows = rows
        self.clusters = clusters
        nearest = Array(repeating: 0, count: rows.count)
        distances = Array(repeating: .infinity, count: rows.count)
    }

    /// k-means++: each seed is a vector drawn with a probability in proportion to its squared distance from the seeds
    /// before it.
    mutating func seeds(random: inout RandomSource) -> [Float] {
        var seeds: [Float] = []
        seeds.reserveCapacity(clusters * rows.dimension)
        for index in rows.indices { distances[index] = .infinity }
        for cluster in 0..<clusters {
            let choice = cluster == 0 ? Int(random.next(upperBound: UInt64(rows.count))) : draw(random: &random)
            let seed = rows[choice]
            seeds.append(contentsOf: UnsafeBufferPointer(start: seed, count: rows.dimension))
            for index in rows.indices {
                distances[index] = min(distances[index], squaredDistance(rows[index], seed, count: rows.dimension))
            }
        }
        return seeds
    }

    /// A row drawn in proportion to `distances`; any where all of them are 0.
    private func draw(random: inout RandomSource) -> Int {
        let total = distances.reduce(0.0) { $0 + Double($1) }
        guard total > 0, total.isFinite else { return Int(random.next(upperBound: UInt64(rows.count))) }
        var rest = Double(random.next() >> 11) * 0x1p-53 * total
        for (index, distance) in distances.enumerated() {
            rest -= Double(distance)
            if rest < 0 { return index }
        }
        return distances.lastIndex { $0 > 0 }!
    }

    /// Iterates from `centroids` [clusters, dimension] until no vector changes its cluster.
    mutating func run(from centroids: [Float], iterations: Int) -> (centroids: [Float], inertia: Double) {
        precondition(centroids.count == clusters * rows.dimension)
        var centroids = centroids
        for index in rows.indices { nearest[index] = -1 }
        for _ in 0..<iterations {
            guard assign(to: centroids) else { break }
            updateMeans(&centroids)
        }
        _ = assign(to: centroids)
        return (centroids, distances.reduce(0.0) { $0 + Double($1) })
    }

    /// Finds each vector's nearest centroid; returns whether any has changed.
    private mutating func assign(to centroids: [Float]) -> Bool {
        centroids.withUnsafeBufferPointer { buffer in
            let centroids = Rows(buffer, dimension: rows.dimension)
            var changed = false
            for index in rows.indices {
                let (cluster, distance) = centroids.nearest(to: rows[index])
                changed = changed || cluster != nearest[index]
                nearest[index] = cluster
                distances[index] = distance
            }
            return changed
        }
    }

    /// Moves each centroid to the mean of its cluster; an empty cluster takes the vector that is farthest from its own
    /// centroid, or stays where it is when no other cluster can spare one.
    private mutating func updateMeans(_ centroids: inout [Float]) {
        var counts = Array(repeating: 0, count: clusters)
        for cluster in nearest { counts[cluster] += 1 }
        for cluster in counts.indices where counts[cluster] == 0 {
            let candidates = rows.indices.filter { counts[nearest[$0]] > 1 && distances[$0] > 0 }
            guard let farthest = candidates.max(by: { distances[$0] < distances[$1] }) else { break }
            counts[nearest[farthest]] -= 1
            counts[cluster] = 1
            nearest[farthest] = cluster
            distances[farthest] = 0
        }
        let dimension = rows.dimension
        var sums = Array(repeating: 0.0, count: clusters * dimension)
        for index in rows.indices {
            let row = rows[index]
            let offset = nearest[index] * dimension
            for column in 0..<dimension { sums[offset + column] += Double(row[column]) }
        }
        for index in sums.indices where counts[index / dimension] > 0 {
            centroids[index] = Float(sums[index] / Double(counts[index / dimension]))
        }
    }
}

extension Rows {
    /// The numbers of the rows.
    var indices: Range<Int> { 0..<count }
}
