// The term that keeps the clusters from emptying (the H(Y) of equation 6), forward and backward.

import Foundation
import Tensors

/// The smallest share of a cluster that enters a logarithm.
private let smallestShare = 1e-30

/// log M − H(p) with p the batch's mean assignment, in nats: 0 where the clusters are used evenly.
///
/// - Parameters:
///   - shares: [clusters], receives p
///   - c: [batch, clusters], the probabilities of each cluster
func entropyLoss(_ shares: inout [Double], _ c: Tensor) -> Double {
    let clusters = c.shape[1]
    for cluster in 0..<clusters { shares[cluster] = 0 }
    for row in 0..<c.shape[0] {
        for cluster in 0..<clusters { shares[cluster] += Double(c.data[row * clusters + cluster]) }
    }
    let total = shares.reduce(0, +)
    for cluster in 0..<clusters { shares[cluster] /= total }
    return log(Double(clusters)) + shares.reduce(0) { $0 + $1 * log(max($1, smallestShare)) }
}

/// Adds the gradient of `entropyLoss` to `dc` [batch, clusters]: the same for each row, (log p_m − Σ p log p) / batch.
func addEntropyLossBackward(_ dc: Tensor, shares: [Double]) {
    let batch = dc.shape[0]
    let logarithms = shares.map { log(max($0, smallestShare)) }
    let mean = zip(shares, logarithms).reduce(0) { $0 + $1.0 * $1.1 }
    // The rows sum to 1, so p is their sum over `batch`.
    let gradient = logarithms.map { Float(($0 - mean) / Double(batch)) }
    for row in 0..<batch {
        for (cluster, value) in gradient.enumerated() { dc.data[row * shares.count + cluster] += value }
    }
}
