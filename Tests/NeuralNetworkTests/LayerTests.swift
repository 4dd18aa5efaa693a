// Pooling, linear, ReLU and softmax: outputs against their definitions, gradients by central differences.

import NeuralNetwork
import Tensors
import XCTest

final class LayerTests: XCTestCase {
    private let poolings: [(x: [Int], window: Window)] = [
        ([2, 7, 5, 3], Window(kernel: 3, stride: 2, padding: 1)),
        ([1, 1, 1, 9], Window(kernel: 3, stride: 2, padding: 1)),
        ([4, 4, 6, 17], Window(kernel: 2, stride: 2)), ([2, 5, 5, 16], Window(kernel: 3, stride: 1, padding: 2)),
        ([2, 7, 8, 5], Window(kernel: 2, stride: 3)), ([2, 24, 22, 70], Window(kernel: 3, stride: 2, padding: 1)),
    ]

    func testMaxPool() {
        for (number, test) in poolings.enumerated() {
            let memory = Memory(seed: UInt64(number))
            let x = memory.tensor(test.x)
            let shape = [test.x[0], test.window.positions(test.x[1]), test.window.positions(test.x[2]), test.x[3]]
            let expected = pooled(x.doubles, test.x, shape, test.window)
            for compute in environments() {
                let y = memory.tensor(shape)
                maxPool(y, index: nil, x, test.window, compute)
                assertClose(y, expected, "\(test), \(compute.name)")
                y.clear()
                var index = [UInt8](repeating: 255, count: y.count)
                maxPool(y, index: &index, x, test.window, compute)
                assertClose(y, expected, "\(test), \(compute.name)")
                for (place, value) in zip(index.indices, y.values) {
                    let channel = place % shape[3], pixel = place / shape[3], tap = Int(index[place])
                    let row =
                        pixel / shape[2] % shape[1] * test.window.stride - test.window.padding
                        + tap / test.window.kernel
                    let column = pixel % shape[2] * test.window.stride - test.window.padding + tap % test.window.kernel
                    let picture = pixel / shape[2] / shape[1]
                    XCTAssertEqual(
                        x.data[((picture * test.x[1] + row) * test.x[2] + column) * shape[3] + channel], value)
                }
            }
        }
    }

    func testGradientOfMaxPoolReLUAndBatchNorm() {
        for (number, test) in poolings.enumerated() {
            // Two views, each with statistics of its own, where there are as many pictures.
            let groups = test.x[0] % 2 == 0 ? 2 : 1
            let memory = Memory(seed: UInt64(20 + number))
            let x = memory.tensor(test.x), channels = test.x[3]
            let shape = [test.x[0], test.window.positions(test.x[1]), test.window.positions(test.x[2]), channels]
            let dy = memory.tensor(shape)
            var layout = ParameterLayout()
            let layer = BatchNorm("bn", channels: channels, &layout)
            let weights = ModelWeights(layout)
            layer.weight.tensor(in: weights.parameters).assign(memory.tensor([channels]).values.map { $0 + 1 })
            layer.bias.tensor(in: weights.parameters).assign(memory.tensor([channels]).values)
            for compute in environments() {
                let label = "\(test), \(compute.name)"
                let normalization = Normalization(
                    memory.zeros([Normalization.size(channels: channels, groups: groups)]).data, channels: channels,
                    groups: groups)
                batchNorm(normalization, x, layer, weights, compute)

                // The same step by step, each of which has its own test.
                let rectified = memory.tensor(test.x), slopes = memory.zeros(test.x), expected = memory.tensor(test.x)
                let expectedGradients = Arena(count: layout.parameterCount)
                normalize(rectified, x, normalization, relu: true, compute)
                let y = memory.tensor(shape)
                var index = [UInt8](repeating: 0, count: y.count)
                maxPool(y, index: &index, rectified, test.window, compute)
                scatter(slopes, dy, index, test.window)
                batchNormBackward(
                    expected, slopes, mask: .normalized, x, normalization, layer, weights, expectedGradients, compute)

                maxPool(y, index: &index, x, test.window, normalization: normalization, compute)
                let gradients = Arena(count: layout.parameterCount)
                let dx = memory.tensor(test.x)
                dx.assign(x.values)
                maxPoolBackward(
                    dx, dy, index: index, dx, test.window, normalization, layer, weights, gradients, compute)
                assertClose(dx, expected.doubles, label)
                for entry in layout.parameters {
                    assertClose(entry.tensor(in: gradients), entry.tensor(in: expectedGradients).doubles, label)
                }
            }
        }
    }

    /// dx += dy at the places that `index` gives.
    private func scatter(_ dx: Tensor, _ dy: Tensor, _ index: [UInt8], _ window: Window) {
        let (height, width, channels) = (dx.shape[1], dx.shape[2], dx.shape[3])
        for place in 0..<dy.count {
            let pixel = place / channels, tap = Int(index[place])
            let row = pixel / dy.shape[2] % dy.shape[1] * window.stride - window.padding + tap / window.kernel
            let column = pixel % dy.shape[2] * window.stride - window.padding + tap % window.kernel
            let picture = pixel / dy.shape[2] / dy.shape[1]
            dx.data[((picture * height + row) * width + column) * channels + place % channels] += dy.data[place]
        }
    }

    private func pooled(_ x: [Double], _ shape: [Int], _ yShape: [Int], _ window: Window) -> [Double] {
        var y = [Double](repeating: -.infinity, count: yShape.reduce(1, *))
        let (height, width, channels) = (shape[1], shape[2], shape[3])
        for index in y.indices {
            let channel = index % channels, pixel = index / channels
            let ox = pixel % yShape[2], oy = pixel / yShape[2] % yShape[1], picture = pixel / yShape[2] / yShape[1]
            for ky in 0..<window.kernel {
                for kx in 0..<window.kernel {
                    let iy = oy * window.stride - window.padding + ky, ix = ox * window.stride - window.padding + kx
                    guard (0..<height).contains(iy), (0..<width).contains(ix) else { continue }
                    y[index] = max(y[index], x[((picture * height + iy) * width + ix) * channels + channel])
                }
            }
        }
        return y
    }

    func testMaxPoolOfNormalisedValues() {
        let memory = Memory(seed: 4)
        let window = Window(kernel: 3, stride: 2, padding: 1)
        let x = memory.tensor([2, 5, 7, 11])
        let normalization = Normalization(memory.tensor([44]).data, channels: 11)
        for compute in environments() {
            let rectified = memory.tensor(x.shape)
            normalize(rectified, x, normalization, relu: true, compute)
            let (y, expected) = (memory.tensor([2, 3, 4, 11]), memory.tensor([2, 3, 4, 11]))
            var index = [UInt8](repeating: 0, count: y.count), expectedIndex = index
            maxPool(y, index: &index, x, window, normalization: normalization, compute)
            maxPool(expected, index: &expectedIndex, rectified, window, compute)
            assertClose(y, expected.doubles, tolerance: 1e-6, compute.name)
            // Where the largest value is 0 the ReLU was off, and no place gets a gradient.
            XCTAssertEqual(
                index, zip(expectedIndex, expected.values).map { $1 > 0 ? $0 : 255 }, compute.name)
        }
    }

    func testGlobalAveragePool() {
        for shape in [[3, 5, 7, 9], [1, 1, 1, 16], [2, 3, 2, 33]] {
            let memory = Memory(seed: 5)
            let x = memory.tensor(shape), dy = memory.tensor([shape[0], shape[3]])
            func mean(_ x: [Double]) -> [Double] {
                let pixels = shape[1] * shape[2]
                var y = [Double](repeating: 0, count: shape[0] * shape[3])
                for (index, value) in x.enumerated() {
                    y[index / (pixels * shape[3]) * shape[3] + index % shape[3]] += value / Double(pixels)
                }
                return y
            }
            let numeric = centralDifferences(x.doubles) { dot(mean($0), dy.doubles) }
            for compute in environments() {
                let y = memory.tensor(dy.shape), dx = memory.tensor(shape)
                globalAveragePool(y, x, compute)
                assertClose(y, mean(x.doubles), compute.name)
                globalAveragePoolBackward(dx, dy, compute)
                assertClose(dx, numeric, compute.name)
            }
        }
    }

    func testLinear() {
        for (batch, inputs, outputs) in [(1, 1, 1), (5, 7, 3), (17, 33, 19), (40, 3, 65)] {
            let memory = Memory(seed: 6)
            var layout = ParameterLayout()
            let layer = Linear("fc", inputs: inputs, outputs: outputs, &layout)
            let weights = ModelWeights(layout)
            let weight = layer.weight.tensor(in: weights.parameters), bias = layer.bias.tensor(in: weights.parameters)
            weight.assign(memory.tensor(weight.shape).values)
            bias.assign(memory.tensor(bias.shape).values)
            let x = memory.tensor([batch, inputs]), dy = memory.tensor([batch, outputs])
            func product(_ x: [Double], _ weight: [Double], _ bias: [Double]) -> [Double] {
                (0..<batch * outputs).map { index in
                    let (row, output) = index.quotientAndRemainder(dividingBy: outputs)
                    return (0..<inputs).reduce(bias[output]) {
                        $0 + x[row * inputs + $1] * weight[output * inputs + $1]
                    }
                }
            }
            for compute in environments() {
                let label = "\(batch), \(inputs), \(outputs), \(compute.name)"
                let y = memory.tensor(dy.shape), dx = memory.tensor(x.shape)
                linear(y, x, layer, weights, compute)
                assertClose(y, product(x.doubles, weight.doubles, bias.doubles), label)
                let gradients = Arena(count: layout.parameterCount)
                linearBackward(dx, dy, x, layer, weights, gradients, compute)
                assertClose(
                    dx, centralDifferences(x.doubles) { dot(product($0, weight.doubles, bias.doubles), dy.doubles) },
                    label)
                let once = dx.doubles
                linearBackward(dx, dy, x, layer, weights, gradients, adds: true, compute)
                assertClose(dx, once.map { 2 * $0 }, label)
                // Also after two calls: they are written, not added.
                assertClose(
                    layer.weight.tensor(in: gradients),
                    centralDifferences(weight.doubles) { dot(product(x.doubles, $0, bias.doubles), dy.doubles) }, label)
                assertClose(
                    layer.bias.tensor(in: gradients),
                    centralDifferences(bias.doubles) { dot(product(x.doubles, weight.doubles, $0), dy.doubles) }, label)
            }
        }
    }

    func testReLUAndSoftmax() {
        let memory = Memory(seed: 7)
        let x = memory.tensor([5, 13]) { 4 * $0.normal() }, dy = memory.tensor([5, 13])
        func softened(_ x: [Double]) -> [Double] {
            (0..<5).flatMap { row -> [Double] in
                let powers = x[row * 13..<row * 13 + 13].map { exp($0) }
                let sum = powers.reduce(0, +)
                return powers.map { $0 / sum }
            }
        }
        let y = memory.tensor(x.shape), dx = memory.tensor(x.shape)
        softmax(y, x)
        assertClose(y, softened(x.doubles))
        softmaxBackward(dx, dy, y)
        assertClose(dx, centralDifferences(x.doubles) { dot(softened($0), dy.doubles) })

        let large = memory.tensor([2, 3])
        large.assign([1000, 999, -1000, -1e30, -1e30, -1e30])
        softmax(large, large)
        XCTAssertTrue(large.values.allSatisfy(\.isFinite), "no overflow")
        for compute in environments() {
            let rectified = memory.tensor(x.shape)
            rectified.assign(x.values)
            relu(rectified)
            assertClose(rectified, x.doubles.map { max(0, $0) })
            let d = memory.tensor(x.shape)
            d.assign(dy.values)
            reluBackward(d, activation: rectified, compute)
            assertClose(d, zip(x.doubles, dy.doubles).map { $0 > 0 ? $1 : 0 }, compute.name)
        }
    }

    func testReLUsLetNotANumberThrough() {
        let memory = Memory(seed: 3)
        for compute in environments() {
            let x = memory.zeros([3, 1, 1, 19])
            for index in 0..<19 { x.data[19 + index] = .nan }
            let normalization = Normalization(memory.zeros([4 * 19]).data, channels: 19)
            let y = memory.zeros(x.shape)
            normalize(y, x, normalization, relu: true, compute)
            XCTAssertEqual(y.values.map(\.isNaN), x.values.map(\.isNaN), compute.name)
        }
    }
}
