// Convolution on both paths, held against the definition written as seven loops in double.

import NeuralNetwork
import Tensors
import XCTest

final class ConvolutionTests: XCTestCase {
    private struct Case {
        var batch, height, width, inputs, outputs: Int
        var window: Window
        var name: String { "\(batch)x\(height)x\(width)x\(inputs) to \(outputs), \(window)" }
    }

    /// Odd sizes for both paths; those with a batch of 32 or more and few pixels go by pixels.
    private let cases = [
        Case(batch: 1, height: 5, width: 7, inputs: 3, outputs: 5, window: Window(kernel: 3, padding: 1)),
        Case(batch: 2, height: 9, width: 6, inputs: 4, outputs: 3, window: Window(kernel: 3, stride: 2, padding: 1)),
        Case(batch: 3, height: 11, width: 11, inputs: 3, outputs: 6, window: Window(kernel: 7, stride: 2, padding: 3)),
        Case(batch: 2, height: 4, width: 5, inputs: 7, outputs: 9, window: Window(kernel: 1)),
        Case(batch: 5, height: 5, width: 3, inputs: 3, outputs: 4, window: Window(kernel: 1, stride: 2)),
        Case(batch: 2, height: 6, width: 6, inputs: 2, outputs: 2, window: Window(kernel: 5, stride: 3, padding: 4)),
        Case(batch: 2, height: 5, width: 5, inputs: 2, outputs: 3, window: Window(kernel: 2)),
        Case(batch: 1, height: 1, width: 1, inputs: 6, outputs: 5, window: Window(kernel: 3, padding: 1)),
        Case(batch: 33, height: 1, width: 1, inputs: 5, outputs: 7, window: Window(kernel: 3, padding: 1)),
        Case(batch: 35, height: 2, width: 3, inputs: 3, outputs: 2, window: Window(kernel: 3, padding: 1)),
        Case(batch: 32, height: 3, width: 4, inputs: 2, outputs: 130, window: Window(kernel: 3, stride: 2, padding: 1)),
        Case(batch: 37, height: 3, width: 2, inputs: 3, outputs: 5, window: Window(kernel: 1, stride: 2)),
        Case(batch: 33, height: 4, width: 3, inputs: 2, outputs: 3, window: Window(kernel: 2, stride: 1, padding: 1)),
    ]

    /// Sizes for Winograd's tiles of 4 and of 3 pixels a side, alone and beside each other: whole, cut off, in blocks of
    /// several sizes, some without any tile of a kind, in a thread's or all threads' hands.
    private let winogradCases = [
        Case(batch: 2, height: 9, width: 6, inputs: 32, outputs: 64, window: Window(kernel: 3, padding: 1)),
        Case(batch: 1, height: 4, width: 5, inputs: 64, outputs: 32, window: Window(kernel: 3, padding: 1)),
        Case(batch: 3, height: 8, width: 8, inputs: 32, outputs: 32, window: Window(kernel: 3, padding: 1)),
        Case(batch: 40, height: 5, width: 7, inputs: 32, outputs: 32, window: Window(kernel: 3, padding: 1)),
        Case(batch: 2, height: 7, width: 7, inputs: 160, outputs: 128, window: Window(kernel: 3, padding: 1)),
        Case(batch: 3, height: 3, width: 3, inputs: 64, outputs: 32, window: Window(kernel: 3, padding: 1)),
        Case(batch: 2, height: 6, width: 6, inputs: 32, outputs: 96, window: Window(kernel: 3, padding: 1)),
        Case(batch: 5, height: 5, width: 3, inputs: 32, outputs: 32, window: Window(kernel: 3, padding: 1)),
        Case(batch: 35, height: 6, width: 6, inputs: 160, outputs: 128, window: Window(kernel: 3, padding: 1)),
        Case(batch: 70, height: 3, width: 3, inputs: 128, outputs: 160, window: Window(kernel: 3, padding: 1)),
        Case(batch: 3, height: 4, width: 3, inputs: 32, outputs: 32, window: Window(kernel: 3, padding: 1)),
        Case(batch: 3, height: 3, width: 4, inputs: 32, outputs: 32, window: Window(kernel: 3, padding: 1)),
        Case(batch: 2, height: 14, width: 11, inputs: 32, outputs: 64, window: Window(kernel: 3, padding: 1)),
        Case(batch: 35, height: 7, width: 7, inputs: 160, outputs: 128, window: Window(kernel: 3, padding: 1)),
        Case(batch: 260, height: 7, width: 7, inputs: 32, outputs: 32, window: Window(kernel: 3, padding: 1)),
    ]

    func testForwardAndGradientsAgainstTheDefinition() {
        let environments = environments()
        for (number, test) in (cases + winogradCases).enumerated() {
            let memory = Memory(seed: UInt64(number))
            let x = memory.tensor([test.batch, test.height, test.width, test.inputs])
            let weight = memory.tensor([test.window.kernel, test.window.kernel, test.inputs, test.outputs])
            let shape = [
                test.batch, test.window.positions(test.height), test.window.positions(test.width), test.outputs,
            ]
            let dy = memory.tensor(shape)
            let before = memory.tensor(x.shape)
            let (y, dx, dWeight) = reference(x, weight, dy, test.window)
            for compute in environments {
                let label = "\(test.name), \(compute.name)"
                let output = memory.tensor(shape)  // not zero: it must be overwritten
                convolution(output, x, weight: weight, test.window, compute)
                assertClose(output, y, label)

                let gradient = memory.tensor(x.shape)
                convolutionBackwardData(gradient, dy, weight: weight, test.window, compute)
                assertClose(gradient, dx, label)
                gradient.assign(before.values)
                convolutionBackwardData(gradient, dy, weight: weight, test.window, adds: true, compute)
                assertClose(gradient, zip(dx, before.doubles).map(+), label)

                let weightGradient = memory.tensor(weight.shape)  // not zero either
                convolutionBackwardWeight(weightGradient, x, dy, test.window, compute)
                assertClose(weightGradient, dWeight, label)
            }
        }
    }

    /// The definition's own gradients, checked once by central differences.
    func testTheDefinitionByCentralDifferences() {
        let memory = Memory(seed: 99)
        let window = Window(kernel: 3, stride: 2, padding: 1)
        let x = memory.tensor([2, 5, 4, 3]), weight = memory.tensor([3, 3, 3, 2]), dy = memory.tensor([2, 3, 2, 2])
        let (_, dx, dWeight) = reference(x, weight, dy, window)
        let numeric = centralDifferences(x.doubles) {
            dot(forward($0, x.shape, weight.doubles, dy.shape, window), dy.doubles)
        }
        for (a, b) in zip(dx, numeric) { XCTAssertEqual(a, b, accuracy: 1e-7) }
        let numericWeight = centralDifferences(weight.doubles) {
            dot(forward(x.doubles, x.shape, $0, dy.shape, window), dy.doubles)
        }
        for (a, b) in zip(dWeight, numericWeight) { XCTAssertEqual(a, b, accuracy: 1e-7) }
    }

    func testSameBitsOnEveryRun() {
        let memory = Memory(seed: 5)
        let window = Window(kernel: 3, padding: 1)
        let x = memory.tensor([40, 9, 9, 8]), dy = memory.tensor([40, 9, 9, 16])
        let compute = Compute(threads: 2)
        let results = (0..<5).map { _ in
            let dWeight = memory.zeros([3, 3, 8, 16])
            convolutionBackwardWeight(dWeight, x, dy, window, compute)
            return dWeight.values
        }
        for result in results.dropFirst() { XCTAssertEqual(result, results[0]) }
    }

    // MARK: The definition

    /// Calls `body` with the offsets of every (output, input, weight) triple that is multiplied.
    private func forEachProduct(_ x: [Int], _ y: [Int], _ window: Window, _ body: (Int, Int, Int) -> Void) {
        let (height, width, inputs, outputs, kernel) = (x[1], x[2], x[3], y[3], window.kernel)
        for n in 0..<y[0] {
            for oy in 0..<y[1] {
                for ox in 0..<y[2] {
                    for ky in 0..<kernel {
                        for kx in 0..<kernel {
                            let iy = oy * window.stride - window.padding + ky
                            let ix = ox * window.stride - window.padding + kx
                            guard (0..<height).contains(iy), (0..<width).contains(ix) else { continue }
                            for i in 0..<inputs {
                                for o in 0..<outputs {
                                    body(
                                        ((n * y[1] + oy) * y[2] + ox) * outputs + o,
                                        ((n * height + iy) * width + ix) * inputs + i,
                                        ((ky * kernel + kx) * inputs + i) * outputs + o)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private func forward(_ x: [Double], _ shape: [Int], _ weight: [Double], _ yShape: [Int], _ window: Window)
        -> [Double]
    {
        var y = [Double](repeating: 0, count: yShape.reduce(1, *))
        forEachProduct(shape, yShape, window) { y[$0] += x[$1] * weight[$2] }
        return y
    }

    private func reference(
        _ x: Tensor, _ weight: Tensor, _ dy: Tensor, _ window: Window
    ) -> (y: [Double], dx: [Double], dWeight: [Double]) {
        let (inputs, weights, slopes) = (x.doubles, weight.doubles, dy.doubles)
        var dx = [Double](repeating: 0, count: inputs.count), dWeight = [Double](repeating: 0, count: weights.count)
        forEachProduct(x.shape, dy.shape, window) { output, input, weight in
            dx[input] += slopes[output] * weights[weight]
            dWeight[weight] += slopes[output] * inputs[input]
        }
        return (forward(inputs, x.shape, weights, dy.shape, window), dx, dWeight)
    }
}
