// k-means on data whose clusters are known, and where it could go wrong: empty clusters, fewer vectors than clusters.

import ContrastiveClustering
import Tensors
import XCTest

final class KMeansTests: XCTestCase {
    /// `perCluster` points around each of `centres`, in turn.
    private func points(around centres: [[Float]], perCluster: Int, spread: Float, seed: UInt64) -> [Float] {
        var random = RandomSource(seed: seed)
        return (0..<perCluster).flatMap { _ in centres.flatMap { $0.map { $0 + spread * random.normal() } } }
    }

    func testFindsWellSeparatedClusters() throws {
        // 19 dimensions: neither a multiple of the vector length nor shorter.
        let dimension = 19
        var centres: [[Float]] = []
        for cluster in 0..<7 { centres.append((0..<dimension).map { Float(($0 * 5 + cluster * 3) % 7) * 4 }) }
        let features = points(around: centres, perCluster: 40, spread: 0.3, seed: 1)
        var random = RandomSource(seed: 2)
        let model = KMeans.fit(features, dimension: dimension, clusters: 7, random: &random)
        let truth: [Int] = (0..<280).map { $0 % 7 }
        let scores = try XCTUnwrap(ClusteringScores(labels: truth, clusters: model.assign(features)))
        XCTAssertEqual(scores.accuracy, 1)
        let expected = Double(280 * dimension) * 0.09
        XCTAssertEqual(model.inertia, expected, accuracy: expected * 0.1)
        for (label, centre) in centres.enumerated() {
            let cluster = model.assign(features)[label]
            for column in 0..<dimension {
                XCTAssertEqual(model.centroids[cluster * dimension + column], centre[column], accuracy: 0.3)
            }
        }
    }

    func testTheSameSeedGivesTheSameCentroids() {
        let features = points(around: [[0, 0, 1], [1, 0, 0]], perCluster: 50, spread: 1, seed: 4)
        var a = RandomSource(seed: 9), b = RandomSource(seed: 9)
        XCTAssertEqual(
            KMeans.fit(features, dimension: 3, clusters: 5, random: &a),
            KMeans.fit(features, dimension: 3, clusters: 5, random: &b))
        XCTAssertEqual(a, b)
    }

    func testAnEmptyClusterIsSeededAgain() {
        let features: [Float] = [0, 1, 10, 11, 20, 21]
        var random = RandomSource(seed: 1)
        let model = KMeans.fit(
            features, dimension: 1, clusters: 3, limits: .init(restarts: 0), start: [5, 1000, 2000], random: &random)
        XCTAssertEqual(Set(model.assign(features)).count, 3)
        // The two farthest vectors become clusters of their own.
        XCTAssertEqual(model.centroids, [5.5, 21, 20])
        XCTAssertEqual(model.inertia, 101, accuracy: 1e-6)
    }

    func testFewerVectorsThanClusters() {
        var random = RandomSource(seed: 1)
        let model = KMeans.fit([3, 4, 3, 4], dimension: 2, clusters: 4, random: &random)
        XCTAssertEqual(model.clusters, 4)
        XCTAssertEqual(model.inertia, 0)
        XCTAssertEqual(model.centroids, [3, 4, 3, 4, 3, 4, 3, 4])
        XCTAssertEqual(model.assign([3, 4]), [0])
        XCTAssertEqual(model.assign([]), [])
    }

    func testRestartsNeverMakeItWorse() {
        let features = points(
            around: [[0, 0], [0, 4], [4, 0], [4, 4], [9, 9]], perCluster: 30, spread: 1, seed: 6)
        var random = RandomSource(seed: 1)
        let one = KMeans.fit(features, dimension: 2, clusters: 5, limits: .init(restarts: 1), random: &random)
        let warm = KMeans.fit(
            features, dimension: 2, clusters: 5, limits: .init(restarts: 8), start: one.centroids, random: &random)
        XCTAssertLessThanOrEqual(warm.inertia, one.inertia)
    }
}
