// The contrastive loss over pairs of unit rows (NT-Xent, Chen et al. 2020; equations 2 and 5 of Li et al. 2021), forward
// and backward. Row i of the first half and row i of the second are a pair; every other row is told apart from both.
//
// A row's similarity with itself is left out of the sum, as in the authors' code.

import Foundation
import Tensors

/// The mean over 2n rows of −log( exp(s(i, pair)/τ) / Σ_{k≠i} exp(s(i, k)/τ) ), in nats.
///
/// - Parameters:
///   - probabilities: [2n, 2n], receives the softmax of each row's similarities, 0 on the diagonal
///   - rows: [2n, columns], each of unit length
///   - temperature: τ
func pairLoss(_ probabilities: Tensor, _ rows: Tensor, temperature: Float) -> Double {
    let count = rows.shape[0]
    matrixProduct(
        probabilities.matrix, rows.matrix, rows.matrix.transposed, m: count, n: count, k: rows.shape[1],
        scale: 1 / temperature)
    var loss = 0.0
    for row in 0..<count {
        let logits = probabilities.data + row * count
        let positive = logits[(row + count / 2) % count]
        logits[row] = -.infinity
        var largest = -Float.infinity
        for other in 0..<count { largest = max(largest, logits[other]) }
        var sum = 0.0
        for other in 0..<count {
            logits[other] = exp(logits[other] - largest)
            sum += Double(logits[other])
        }
        let scale = Float(1 / sum)
        for other in 0..<count { logits[other] *= scale }
        loss += log(sum) - Double(positive - largest)
    }
    return loss / Double(count)
}

/// The gradient of `pairLoss` with respect to its rows.
///
/// With P the probabilities and Y the pairs, the similarities' gradient is G = (P − Y) / 2nτ; a similarity belongs to
/// two rows, so the rows' is (G + Gᵀ) rows.
///
/// - Parameters:
///   - drows: [2n, columns]
///   - probabilities: [2n, 2n], what `pairLoss` gave; overwritten
///   - rows: [2n, columns]
func pairLossBackward(_ drows: Tensor, probabilities: Tensor, _ rows: Tensor, temperature: Float) {
    let count = rows.shape[0]
    let gradient = probabilities.data
    for row in 0..<count { gradient[row * count + (row + count / 2) % count] -= 1 }
    for row in 0..<count {
        for other in 0...row {
            let sum = gradient[row * count + other] + gradient[other * count + row]
            gradient[row * count + other] = sum
            gradient[other * count + row] = sum
        }
    }
    matrixProduct(
        drows.matrix, probabilities.matrix, rows.matrix, m: count, n: rows.shape[1], k: count,
        scale: 1 / (Float(count) * temperature))
}
