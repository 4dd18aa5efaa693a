// Matrix products against sums in double, for every combination of transposition and for parts of larger matrices.

import Tensors
import XCTest

final class MatrixProductTests: XCTestCase {
    func testAgainstPlainSums() {
        var random = RandomSource(seed: 1)
        for (m, n, k) in [(1, 1, 1), (3, 5, 7), (17, 33, 65), (64, 1, 130), (1, 100, 3)] {
            for (transposesA, transposesB) in [(false, false), (true, false), (false, true), (true, true)] {
                // Rows are longer than what is used of them.
                let a = matrix(rows: transposesA ? k : m, columns: (transposesA ? m : k) + 3, &random)
                let b = matrix(rows: transposesB ? n : k, columns: (transposesB ? k : n) + 1, &random)
                let c = matrix(rows: m, columns: n + 2, &random)
                let before = c.values
                let left = transposesA ? a.matrix.transposed : a.matrix
                let right = transposesB ? b.matrix.transposed : b.matrix
                matrixProduct(c.matrix, left, right, m: m, n: n, k: k, scale: 0.5, keep: 2)
                for row in 0..<m {
                    for column in 0..<n {
                        var sum = 2 * Double(before[row * (n + 2) + column])
                        for i in 0..<k {
                            let x = transposesA ? a.data[i * (m + 3) + row] : a.data[row * (k + 3) + i]
                            let y = transposesB ? b.data[column * (k + 1) + i] : b.data[i * (n + 1) + column]
                            sum += 0.5 * Double(x) * Double(y)
                        }
                        XCTAssertEqual(Double(c.data[row * (n + 2) + column]), sum, accuracy: 1e-5)
                    }
                    XCTAssertEqual(c.data[row * (n + 2) + n], before[row * (n + 2) + n], "beyond the result")
                }
            }
        }
    }

    func testKeepZeroIgnoresWhatWasThere() {
        var random = RandomSource(seed: 2)
        let (a, b, c) = (
            matrix(rows: 4, columns: 4, &random), matrix(rows: 4, columns: 4, &random),
            matrix(rows: 4, columns: 4, &random)
        )
        c.assign([Float](repeating: .nan, count: 16))
        matrixProduct(c.matrix, a.matrix, b.matrix, m: 4, n: 4, k: 4)
        XCTAssertTrue(c.values.allSatisfy(\.isFinite))
    }

    private var arenas: [Arena] = []

    private func matrix(rows: Int, columns: Int, _ random: inout RandomSource) -> Tensor {
        let arena = Arena(count: rows * columns)
        arenas.append(arena)
        let tensor = Tensor(arena.base, [rows, columns])
        tensor.assign((0..<rows * columns).map { _ in random.uniform() - 0.5 })
        return tensor
    }
}
