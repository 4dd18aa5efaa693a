// k-means on feature vectors: k-means++ seeding (Arthur and Vassilvitskii 2007) and Lloyd's iterations, several times
// over, the lowest inertia wins. It gives the clusters where the model has no cluster head to ask.

import Tensors

/// Centroids of a set of vectors.
public struct KMeans: Sendable, Equatable {
    /// The length of a vector.
    public let dimension: Int
    /// Row-major [clusters, dimension].
    public let centroids: [Float]
    /// The sum, over the vectors that were fitted, of the squared distance to the nearest centroid.
    public let inertia: Double

    /// How many centroids there are.
    public var clusters: Int { centroids.count / dimension }

    /// When fitting ends.
    public struct Limits: Sendable {
        /// How often fitting starts from new seeds.
        public var restarts: Int
        /// The most iterations of one start; a start ends before when no vector changes its cluster.
        public var iterations: Int

        /// Creates limits.
        public init(restarts: Int = 10, iterations: Int = 100) {
            self.restarts = restarts
            self.iterations = iterations
        }
    }

    /// Finds the centroids of `features`.
    ///
    /// - Parameters:
    ///   - features: row-major [n ≥ 1, dimension].
    ///   - clusters: how many centroids to find; where there are fewer different vectors, some centroids coincide.
    ///   - start: centroids [clusters, dimension] to start from, beside the random seeds.
    ///   - random: where the seeds are drawn from.
    public static func fit(
        _ features: [Float], dimension: Int, clusters: Int, limits: Limits = Limits(), start: [Float]? = nil,
        random: inout RandomSource
    ) -> KMeans {
        precondition(dimension > 0 && clusters > 0 && !features.isEmpty && features.count % dimension == 0)
        return features.withUnsafeBufferPointer { buffer in
            var lloyd = Lloyd(rows: Rows(buffer, dimension: dimension), clusters: clusters)
            var best = start.map { lloyd.run(from: $0, iterations: limits.iterations) }
            for _ in 0..<max(limits.restarts, start == nil ? 1 : 0) {
                let seeds = lloyd.seeds(random: &random)
                let candidate = lloyd.run(from: seeds, iterations: limits.iterations)
                if candidate.inertia < best?.inertia ?? .infinity || best == nil { best = candidate }
            }
            return KMeans(dimension: dimension, centroids: best!.centroids, inertia: best!.inertia)
        }
    }

    /// The nearest centroid of each row of `features` [n, dimension]; the first of several equally near ones.
    public func assign(_ features: [Float]) -> [Int] {
        nearestCentroids(of: features, among: centroids, dimension: dimension)
    }
}

/// The nearest of `centroids` [m, dimension] to each row of `features` [n, dimension].
func nearestCentroids(of features: [Float], among centroids: [Float], dimension: Int) -> [Int] {
    precondition(features.count % dimension == 0)
    return features.withUnsafeBufferPointer { features in
        centroids.withUnsafeBufferPointer { centroids in
            let rows = Rows(features, dimension: dimension)
            let centroids = Rows(centroids, dimension: dimension)
            return rows.indices.map { centroids.nearest(to: rows[$0]).index }
        }
    }
}

/// The rows of a matrix that somebody else keeps.
struct Rows {
    private let base: UnsafeBufferPointer<Float>
    let dimension: Int
    let count: Int

    init(_ base: UnsafeBufferPointer<Float>, dimension: Int) {
        self.base = base
        self.dimension = dimension
        count = base.count / dimension
    }

    subscript(row: Int) -> UnsafePointer<Float> { base.baseAddress! + row * dimension }

    /// The row with the smallest squared distance to `vector`.
    func nearest(to vector: UnsafePointer<Float>) -> (index: Int, distance: Float) {
        var best = (index: 0, distance: Float.infinity)
        for row in 0..<count {
            let distance = squaredDistance(vector, self[row], count: dimension)
            if distance < best.distance { best = (row, distance) }
        }
        return best
    }
}

/// The squared Euclidean distance of two vectors.
func squaredDistance(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Float {
    var lanes = SIMD16<Float>.zero
    var index = 0
    while index + 16 <= count {
        let difference =
            UnsafeRawPointer(a + index).loadUnaligned(as: SIMD16<Float>.self)
            - UnsafeRawPointer(b + index).loadUnaligned(as: SIMD16<Float>.self)
        lanes += difference * difference
        index += 16
    }
    var sum = lanes.sum()
    while index < count {
        sum += (a[index] - b[index]) * (a[index] - b[index])
        index += 1
    }
    return sum
}
