// The losses against the same equations written plainly in float64, and their gradients against central differences of
// those. Sizes are odd on purpose, down to a single pair of rows.

import ContrastiveClustering
import Foundation
import Tensors
import XCTest

final class LossTests: XCTestCase {
    func testLossesAreThoseOfThePlainEquations() {
        for (batch, clusters) in [(1, 2), (3, 2), (5, 7), (33, 10), (256, 10)] {
            let case_ = LossCase(batch: batch, clusters: clusters, dimension: 16, seed: UInt64(batch))
            let losses = case_.losses()
            let truth = case_.truth()
            XCTAssertEqual(Double(losses.instance), truth.instance, accuracy: 1e-6 * (truth.instance + 1))
            XCTAssertEqual(Double(losses.cluster), truth.cluster, accuracy: 1e-6 * truth.cluster)
            XCTAssertEqual(Double(losses.entropy), truth.entropy, accuracy: 1e-6 * (truth.entropy + 0.1))
        }
    }

    func testGradientsAreTheDifferencesOfTheLosses() {
        for (batch, clusters, heads) in [
            (1, 2, Heads.both), (3, 2, .both), (3, 7, .both), (4, 3, .instance), (5, 3, .cluster),
        ] {
            let settings = LossSettings(heads: heads, instanceTemperature: 0.4, clusterTemperature: 0.9)
            let case_ = LossCase(batch: batch, clusters: clusters, dimension: 5, seed: 7, settings: settings)
            let (dz, dc) = case_.gradients()
            for index in dz.indices {
                XCTAssertEqual(Double(dz[index]), case_.difference(\.z, index), accuracy: 2e-6, "dz \(index) \(heads)")
            }
            for index in dc.indices {
                XCTAssertEqual(Double(dc[index]), case_.difference(\.c, index), accuracy: 2e-6, "dc \(index) \(heads)")
            }
        }
    }

    func testHeadsSwitchedOffCostNothing() {
        let instance = LossCase(batch: 4, clusters: 3, dimension: 5, seed: 1, settings: .init(heads: .instance))
        XCTAssertEqual(instance.losses().cluster, 0)
        XCTAssertEqual(instance.losses().entropy, 0)
        XCTAssertEqual(instance.gradients().dc, Array(repeating: 0, count: 24))
        let cluster = LossCase(batch: 4, clusters: 3, dimension: 5, seed: 1, settings: .init(heads: .cluster))
        XCTAssertEqual(cluster.losses().instance, 0)
        XCTAssertEqual(cluster.gradients().dz, Array(repeating: 0, count: 40))
    }

    /// Where nothing is learnt yet all rows look alike, and the losses are the logarithms of the number of choices.
    func testLossesStartAtTheLogarithmOfTheChoices() {
        var same = LossCase(batch: 256, clusters: 10, dimension: 8, seed: 1)
        same.z = (0..<512 * 8).map { $0 % 8 == 0 ? 1 : 0 }
        same.c = Array(repeating: 0.1, count: 512 * 10)
        XCTAssertEqual(same.losses().instance, Float(log(511.0)), accuracy: 1e-5)
        XCTAssertEqual(same.losses().cluster, Float(log(19.0)), accuracy: 1e-5)
        XCTAssertEqual(same.losses().entropy, 0, accuracy: 1e-6)
    }

    func testAnEmptyClusterKeepsEverythingFinite() {
        var empty = LossCase(batch: 3, clusters: 3, dimension: 4, seed: 2)
        for row in 0..<6 { empty.c.replaceSubrange(row * 3..<row * 3 + 3, with: [1, 0, 0]) }
        XCTAssertEqual(empty.losses().entropy, 2 * Float(log(3.0)), accuracy: 1e-6)
        XCTAssertTrue(empty.losses().total.isFinite)
        XCTAssertTrue(empty.gradients().dc.allSatisfy(\.isFinite))
    }
}

/// Values for the losses, and the losses' float64 truth.
private struct LossCase {
    let batch: Int
    let clusters: Int
    let dimension: Int
    let settings: LossSettings
    /// [2N, dimension], unit rows.
    var z: [Float] = []
    /// [2N, M], rows of probabilities.
    var c: [Float] = []

    init(batch: Int, clusters: Int, dimension: Int, seed: UInt64, settings: LossSettings = LossSettings()) {
        self.batch = batch
        self.clusters = clusters
        self.dimension = dimension
        self.settings = settings
        var random = RandomSource(seed: seed)
        for _ in 0..<2 * batch {
            let row = (0..<dimension).map { _ in random.normal() }
            let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
            z += row.map { $0 / length }
            let weights = (0..<clusters).map { _ in exp(random.normal()) }
            c += weights.map { $0 / weights.reduce(0, +) }
        }
    }

    private func withLoss<R>(_ body: (ContrastiveLoss, _ z: Tensor, _ c: Tensor, _ dz: Tensor, _ dc: Tensor) -> R) -> R
    {
        let arena = Arena(count: 2 * (z.count + c.count))
        let z = Tensor(arena.base, [2 * batch, dimension]), dz = Tensor(z.data + z.count, z.shape)
        let c = Tensor(dz.data + dz.count, [2 * batch, clusters]), dc = Tensor(c.data + c.count, c.shape)
        z.assign(self.z)
        c.assign(self.c)
        // Leftovers that must not show.
        dz.assign(Array(repeating: 5, count: dz.count))
        dc.assign(Array(repeating: 5, count: dc.count))
        return withExtendedLifetime(arena) {
            body(ContrastiveLoss(batch: batch, clusters: clusters, settings: settings), z, c, dz, dc)
        }
    }

    func losses() -> Losses { withLoss { loss, z, c, _, _ in loss.forward(z: z, c: c) } }

    func gradients() -> (dz: [Float], dc: [Float]) {
        withLoss { loss, z, c, dz, dc in
            _ = loss.forward(z: z, c: c)
            loss.backward(dz: dz, dc: dc, z: z)
            return (dz.values, dc.values)
        }
    }

    // MARK: The same in float64, as plainly as possible

    func truth() -> (instance: Double, cluster: Double, entropy: Double) {
        truth(z: z.map(Double.init), c: c.map(Double.init))
    }

    /// d(total loss) / d(values[index]) by a central difference.
    func difference(_ values: KeyPath<LossCase, [Float]>, _ index: Int) -> Double {
        let step = 1e-5
        let total = { (offset: Double) in
            var z = self.z.map(Double.init), c = self.c.map(Double.init)
            if values == \.z { z[index] += offset } else { c[index] += offset }
            let losses = truth(z: z, c: c)
            return (settings.heads == .cluster ? 0 : losses.instance)
                + (settings.heads == .instance ? 0 : losses.cluster + losses.entropy)
        }
        return (total(step) - total(-step)) / (2 * step)
    }

    private func truth(z: [Double], c: [Double]) -> (instance: Double, cluster: Double, entropy: Double) {
        let rows = (0..<2 * batch).map { Array(z[$0 * dimension..<($0 + 1) * dimension]) }
        var columns: [[Double]] = []
        var entropy = 0.0
        for view in 0..<2 {
            var shares: [Double] = []
            for cluster in 0..<clusters {
                let column = (0..<batch).map { c[(view * batch + $0) * clusters + cluster] }
                let length = column.reduce(0) { $0 + $1 * $1 }.squareRoot()
                columns.append(column.map { $0 / length })
                shares.append(column.reduce(0, +))
            }
            let total = shares.reduce(0, +)
            entropy += log(Double(clusters)) + shares.reduce(0) { $0 + $1 / total * log($1 / total) }
        }
        return (
            pairLoss(rows, temperature: Double(settings.instanceTemperature)),
            pairLoss(columns, temperature: Double(settings.clusterTemperature)), entropy
        )
    }

    private func pairLoss(_ rows: [[Double]], temperature: Double) -> Double {
        var loss = 0.0
        for (i, row) in rows.enumerated() {
            let similarities = rows.map { other in zip(row, other).reduce(0) { $0 + $1.0 * $1.1 } / temperature }
            let others = similarities.indices.filter { $0 != i }.reduce(0) { $0 + exp(similarities[$1]) }
            loss -= similarities[(i + rows.count / 2) % rows.count] - log(others)
        }
        return loss / Double(rows.count)
    }
}
