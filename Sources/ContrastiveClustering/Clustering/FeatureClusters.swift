// The clusters of a model without a trained cluster head: k-means on its features, found again as the features move.
//
// After some steps the features of what was just trained on are remembered, in evaluation mode as `assign` sees them, up
// to a bound; then centroids are found from them and the features are forgotten. Each time the search also starts from
// the centroids before, and the new centroids take the numbers of those that they share most images with, so that a
// cluster keeps its number while training goes on.

import Foundation
import Tensors

/// Centroids that follow the features of a model that learns.
struct FeatureClusters: Sendable, Equatable {
    /// Steps from one search to the next.
    static let period: UInt64 = 50
    /// The most features that a search uses.
    static let capacity = 2048

    /// How many clusters there are.
    let clusters: Int
    /// The length of a feature vector.
    let dimension: Int
    /// [clusters, dimension]; empty before the first search.
    private(set) var centroids: [Float] = []
    /// The mean squared distance of a feature to its centroid.
    private(set) var scale: Float = 1
    /// [n, dimension], since the last search.
    private(set) var remembered: [Float] = []

    /// Creates clusters without centroids.
    init(clusters: Int, dimension: Int) {
        self.clusters = clusters
        self.dimension = dimension
    }

    /// Whether the features of the mini-batch of `step` are to be remembered: those of the last steps before a search that
    /// together make up the capacity, and of the very first step.
    func wantsFeatures(at step: UInt64, batch: Int) -> Bool {
        let steps = UInt64(max(1, Self.capacity / batch))
        return centroids.isEmpty || (step + steps - 1) / Self.period != (step - 1) / Self.period
    }

    /// Remembers `features` [n, dimension]; finds centroids after step 1 and every `period` steps.
    mutating func remember(_ features: [Float], at step: UInt64, random: @autoclosure () -> RandomSource) {
        remembered += features.prefix(max(0, Self.capacity * dimension - remembered.count))
        guard !remembered.isEmpty, centroids.isEmpty || step % Self.period == 0 else { return }
        var random = random()
        search(&random)
    }

    /// Finds centroids from what is remembered.
    private mutating func search(_ random: inout RandomSource) {
        // Features that are not numbers teach nothing; the centroids stay.
        defer { remembered = [] }
        guard remembered.allSatisfy(\.isFinite) else { return }
        let found = KMeans.fit(
            remembered, dimension: dimension, clusters: clusters, limits: .init(restarts: 4),
            start: centroids.isEmpty ? nil : centroids, random: &random)
        scale = max(Float(found.inertia / Double(remembered.count / dimension)), .leastNormalMagnitude)
        centroids = centroids.isEmpty ? found.centroids : renumbered(found)
    }

    /// The centroids of `found` in the order in which they agree best with those before.
    private func renumbered(_ found: KMeans) -> [Float] {
        let before = nearestCentroids(of: remembered, among: centroids, dimension: dimension)
        var shared = Array(repeating: Array(repeating: 0, count: clusters), count: clusters)
        for (before, now) in zip(before, found.assign(remembered)) { shared[before][now] += 1 }
        let order = linearAssignment(rows: clusters, columns: clusters) { -shared[$0][$1] }
        return order.flatMap { found.centroids[$0! * dimension..<($0! + 1) * dimension] }
    }

    /// Writes the probability of each cluster for one feature vector: the softmax of −distance² / 2 scale, so that
    /// distances count in terms of what is usual. Before the first search all clusters are alike.
    func probabilities(_ result: UnsafeMutablePointer<Float>, of feature: UnsafePointer<Float>) {
        guard !centroids.isEmpty else {
            for cluster in 0..<clusters { result[cluster] = 1 / Float(clusters) }
            return
        }
        centroids.withUnsafeBufferPointer { buffer in
            let centroids = Rows(buffer, dimension: dimension)
            let nearest = centroids.nearest(to: feature).distance
            var sum: Float = 0
            for cluster in 0..<clusters {
                let distance = squaredDistance(feature, centroids[cluster], count: dimension)
                result[cluster] = exp((nearest - distance) / (2 * scale))
                sum += result[cluster]
            }
            for cluster in 0..<clusters { result[cluster] /= sum }
        }
    }
}

// MARK: The way in and out

extension FeatureClusters {
    fileprivate static let centroidsName = "kmeans.centroids"
    private static let scaleName = "kmeans.scale"
    private static let rememberedName = "kmeans.remembered"

    /// Everything that a later run needs to go on, as tensors.
    func exported() -> [NamedTensor] {
        guard !centroids.isEmpty else { return [] }
        return [
            NamedTensor(name: Self.centroidsName, shape: [clusters, dimension], elements: .float32(centroids)),
            NamedTensor(name: Self.scaleName, shape: [1], elements: .float32([scale])),
            NamedTensor(
                name: Self.rememberedName, shape: [remembered.count / dimension, dimension],
                elements: .float32(remembered)),
        ]
    }

    /// What `exported` gave; without centroids where it holds none.
    init(clusters: Int, dimension: Int, from state: StateReader) throws {
        self.init(clusters: clusters, dimension: dimension)
        guard state.has(Self.centroidsName) else { return }
        centroids = try state.finite(Self.centroidsName, shape: [clusters, dimension])
        scale = try state.finite(Self.scaleName, shape: [1])[0]
        remembered = try state.floats(Self.rememberedName, columns: dimension)
        guard scale > 0 else { throw StateMismatch("\(Self.scaleName) is \(scale); it must be positive") }
    }

    /// Centroids and scale as they travel in a weight snapshot.
    var flattened: [Float] { centroids.isEmpty ? [] : centroids + [scale] }

    /// Takes what `flattened` gave.
    mutating func adopt(_ values: ArraySlice<Float>) {
        guard values.count == clusters * dimension + 1 else {
            precondition(values.isEmpty, "clusters of another shape")
            centroids = []
            return
        }
        centroids = Array(values.dropLast())
        scale = values[values.endIndex - 1]
    }
}

extension LearnerState {
    /// Whether k-means on the features gives the clusters, rather than the cluster head.
    public var hasFeatureClusters: Bool { tensors.contains { $0.name == FeatureClusters.centroidsName } }
}
