// Adam on a given sequence of gradients against the algorithm's text in double.

import NeuralNetwork
import Tensors
import XCTest

final class AdamTests: XCTestCase {
    func testAgainstTheAlgorithm() {
        for count in [1, 7, 16, 1003] {
            for compute in environments() {
                let memory = Memory(seed: UInt64(count))
                let start = memory.tensor([count]).values
                let arenas = (Arena(count: count), Arena(count: count))
                let parameters = Tensor(arenas.0.base, [count]), gradients = Tensor(arenas.1.base, [count])
                parameters.assign(start)
                var (w, m, v) = (
                    start.map(Double.init), [Double](repeating: 0, count: count), [Double](repeating: 0, count: count)
                )
                let adam = Adam(count: count, learningRate: 3e-4)
                for step in 1...12 {
                    // Sizes from 1e-6 to 1: the steps must not depend on them.
                    gradients.assign(
                        memory.tensor([count]) { $0.normal() * Float(pow(10, Double(-(step % 7)))) }.values)
                    adam.update(arenas.0, gradients: arenas.1, compute)
                    for index in 0..<count {
                        let g = Double(gradients.data[index])
                        m[index] = 0.9 * m[index] + 0.1 * g
                        v[index] = 0.999 * v[index] + 0.001 * g * g
                        let mean = m[index] / (1 - pow(0.9, Double(step)))
                        let square = v[index] / (1 - pow(0.999, Double(step)))
                        w[index] -= 3e-4 * mean / (square.squareRoot() + 1e-8)
                    }
                    assertClose(parameters, w, tolerance: 1e-6, "step \(step), \(compute.name)")
                }
                XCTAssertEqual(adam.step, 12)
            }
        }
    }
}
