// The harness that all layers' tests share: random tensors, and gradients by central differences in double.
//
// A layer is checked twice: its output against the same layer written plainly in double, and its gradients against
// (f(x + h) - f(x - h)) / 2h of that plain version, where f is the sum of the outputs weighted with the gradient fed in.

import NeuralNetwork
import Tensors
import XCTest

/// Tensors that live as long as the test.
final class Memory {
    private var arenas: [Arena] = []
    private var random: RandomSource

    init(seed: UInt64) { random = RandomSource(seed: seed) }

    func tensor(_ shape: [Int], _ values: (inout RandomSource) -> Float = { $0.normal() }) -> Tensor {
        let arena = Arena(count: shape.reduce(1, *))
        arenas.append(arena)
        let tensor = Tensor(arena.base, shape)
        tensor.assign((0..<tensor.count).map { _ in values(&random) })
        return tensor
    }

    func zeros(_ shape: [Int]) -> Tensor { tensor(shape) { _ in 0 } }
}

extension Tensor {
    var doubles: [Double] { values.map(Double.init) }
}

/// (f(x + h) − f(x − h)) / 2h for every element of x.
func centralDifferences(_ x: [Double], step: Double = 1e-4, _ f: ([Double]) -> Double) -> [Double] {
    var moved = x
    return x.indices.map { index in
        moved[index] = x[index] + step
        let above = f(moved)
        moved[index] = x[index] - step
        let below = f(moved)
        moved[index] = x[index]
        return (above - below) / (2 * step)
    }
}

func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

/// Fails where any value is further from `expected` than `tolerance` times the largest expected magnitude.
func assertClose(
    _ actual: Tensor, _ expected: [Double], tolerance: Double = 2e-5, _ message: String = "",
    file: StaticString = #filePath,
    line: UInt = #line
) {
    guard actual.count == expected.count else {
        return XCTFail("\(message): \(actual.count) values, not \(expected.count)", file: file, line: line)
    }
    let scale = max(expected.reduce(0) { max($0, abs($1)) }, 1e-6)
    var worst = 0.0
    for (a, e) in zip(actual.values, expected) {
        // A NaN compares false and must not pass.
        if !(abs(Double(a) - e) <= worst) { worst = abs(Double(a) - e).isNaN ? .infinity : abs(Double(a) - e) }
    }
    XCTAssertLessThanOrEqual(worst / scale, tolerance, message, file: file, line: line)
}

/// The environments that a test runs in: every instruction set of this processor, one thread and several.
func environments() -> [Compute] {
    InstructionSet.supported.flatMap { set in [1, 3].map { Compute(threads: $0, instructionSet: set) } }
}

extension Compute {
    var name: String { "\(instructionSet) on \(pool.threadCount) threads" }
}
