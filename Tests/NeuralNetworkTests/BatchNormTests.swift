// Batch normalisation against its definition in double, and its gradients by central differences.

import NeuralNetwork
import Tensors
import XCTest

final class BatchNormTests: XCTestCase {
    private let shapes = [[2, 3, 5, 7], [1, 5, 1, 1], [3, 1, 1, 37], [4, 5, 3, 16], [2, 2, 2, 130]]

    func testForwardRunningStatisticsAndGradients() {
        for (number, shape) in shapes.enumerated() {
            let memory = Memory(seed: UInt64(number))
            let channels = shape[3]
            // A mean far from zero: the variance must not suffer from cancellation.
            let x = memory.tensor(shape) { $0.normal() + 30 }
            let d = memory.tensor(shape)
            var layout = ParameterLayout()
            let layer = BatchNorm("bn", channels: channels, &layout)
            let weights = ModelWeights(layout)
            layer.weight.tensor(in: weights.parameters).assign(memory.tensor([channels]).values.map { $0 + 1 })
            layer.bias.tensor(in: weights.parameters).assign(memory.tensor([channels]).values)
            let gamma = layer.weight.tensor(in: weights.parameters).doubles
            let beta = layer.bias.tensor(in: weights.parameters).doubles
            let rows = Double(x.count / channels)

            for compute in environments() {
                let label = "\(shape), \(compute.name)"
                layer.runningVariance.tensor(in: weights.statistics).assign([Float](repeating: 1, count: channels))
                layer.runningMean.tensor(in: weights.statistics).clear()
                let normalization = Normalization(
                    memory.zeros([Normalization.size(channels: channels)]).data, channels: channels)
                batchNorm(normalization, x, layer, weights, compute)
                let y = memory.tensor(shape)
                normalize(y, x, normalization, relu: false, compute)
                // The input's own rounding at 30 is 2e-6.
                assertClose(y, reference(x.doubles, gamma, beta), tolerance: 1e-4, label)

                let (means, variances) = moments(x.doubles, channels)
                assertClose(layer.runningMean.tensor(in: weights.statistics), means.map { 0.1 * $0 }, label)
                assertClose(
                    layer.runningVariance.tensor(in: weights.statistics),
                    variances.map { 0.9 + 0.1 * $0 * rows / max(1, rows - 1) }, label)

                let gradients = Arena(count: layout.parameterCount)
                let dx = memory.tensor(shape)
                batchNormBackward(dx, d, x, normalization, layer, weights, gradients, compute)
                let numeric = centralDifferences(x.doubles) { dot(reference($0, gamma, beta), d.doubles) }
                assertClose(dx, numeric, tolerance: 3e-4, label)
                assertClose(
                    layer.weight.tensor(in: gradients),
                    centralDifferences(gamma) { dot(reference(x.doubles, $0, beta), d.doubles) }, tolerance: 1e-4, label
                )
                assertClose(
                    layer.bias.tensor(in: gradients),
                    centralDifferences(beta) { dot(reference(x.doubles, gamma, $0), d.doubles) }, tolerance: 1e-4, label
                )
            }
        }
    }

    func testBackwardThroughTheReLUBehindIt() {
        let memory = Memory(seed: 8)
        let shape = [3, 2, 2, 9]
        let x = memory.tensor(shape), d = memory.tensor(shape), beside = memory.tensor(shape)
        var layout = ParameterLayout()
        let layer = BatchNorm("bn", channels: 9, &layout)
        let weights = ModelWeights(layout)
        layer.weight.tensor(in: weights.parameters).assign([Float](repeating: 1.3, count: 9))
        let gamma = [Double](repeating: Double(Float(1.3)), count: 9), beta = [Double](repeating: 0, count: 9)
        for compute in environments() {
            let normalization = Normalization(memory.zeros([36]).data, channels: 9)
            batchNorm(normalization, x, layer, weights, compute)
            let besideNormalization = Normalization(memory.tensor([36]).data, channels: 9)
            let normalizedBeside = memory.tensor(shape)
            normalize(normalizedBeside, beside, besideNormalization, relu: false, compute)
            let masks: [(ReLUMask, [Double])] = [
                (.normalized, memory.zeros(shape).doubles), (.sum(shortcut: beside, nil), beside.doubles),
                (.sum(shortcut: beside, besideNormalization), normalizedBeside.doubles),
            ]
            for (mask, added) in masks {
                let gradients = Arena(count: layout.parameterCount)
                let (masked, dx) = (memory.tensor(shape), memory.tensor(shape))
                masked.assign(d.values)
                dx.assign(x.values)
                batchNormBackward(dx, masked, mask: mask, dx, normalization, layer, weights, gradients, compute)
                let numeric = centralDifferences(x.doubles, step: 1e-6) { x in
                    dot(zip(reference(x, gamma, beta), added).map { max(0, $0 + $1) }, d.doubles)
                }
                assertClose(dx, numeric, tolerance: 1e-4, "\(mask), \(compute.name)")
                let sums = zip(reference(x.doubles, gamma, beta), added).map(+)
                assertClose(masked, zip(sums, d.doubles).map { $0 > 0 ? $1 : 0 }, "\(mask), \(compute.name)")
            }
        }
    }

    func testResidualSumAndEvaluation() {
        let memory = Memory(seed: 9)
        let shape = [2, 3, 2, 11]
        let x = memory.tensor(shape), r = memory.tensor(shape)
        var layout = ParameterLayout()
        let layer = BatchNorm("bn", channels: 11, &layout)
        let weights = ModelWeights(layout)
        layer.weight.tensor(in: weights.parameters).assign(memory.tensor([11]).values)
        layer.bias.tensor(in: weights.parameters).assign(memory.tensor([11]).values)
        layer.runningMean.tensor(in: weights.statistics).assign(memory.tensor([11]).values)
        layer.runningVariance.tensor(in: weights.statistics).assign(memory.tensor([11]).values.map { $0 * $0 + 0.1 })
        let normalization = Normalization(memory.zeros([44]).data, channels: 11)
        batchNormEvaluation(normalization, layer, weights)
        let gamma = layer.weight.tensor(in: weights.parameters).doubles
        let beta = layer.bias.tensor(in: weights.parameters).doubles
        let mean = layer.runningMean.tensor(in: weights.statistics).doubles
        let variance = layer.runningVariance.tensor(in: weights.statistics).doubles
        func evaluated(_ x: [Double]) -> [Double] {
            x.indices.map {
                (x[$0] - mean[$0 % 11]) / (variance[$0 % 11] + 1e-5).squareRoot() * gamma[$0 % 11] + beta[$0 % 11]
            }
        }
        for compute in environments() {
            let y = memory.tensor(shape)
            normalizeAddReLU(y, x, normalization, shortcut: r, shortcutNormalization: nil, compute)
            assertClose(y, zip(evaluated(x.doubles), r.doubles).map { max(0, $0 + $1) }, compute.name)
            normalizeAddReLU(y, x, normalization, shortcut: r, shortcutNormalization: normalization, compute)
            assertClose(y, zip(evaluated(x.doubles), evaluated(r.doubles)).map { max(0, $0 + $1) }, compute.name)
        }
    }

    private func moments(_ x: [Double], _ channels: Int) -> (means: [Double], variances: [Double]) {
        let rows = Double(x.count / channels)
        var means = [Double](repeating: 0, count: channels), variances = means
        for (index, value) in x.enumerated() { means[index % channels] += value / rows }
        for (index, value) in x.enumerated() {
            variances[index % channels] += (value - means[index % channels]) * (value - means[index % channels]) / rows
        }
        return (means, variances)
    }

    private func reference(_ x: [Double], _ gamma: [Double], _ beta: [Double]) -> [Double] {
        let channels = gamma.count
        let (means, variances) = moments(x, channels)
        return x.indices.map { index in
            let channel = index % channels
            return (x[index] - means[channel]) / (variances[channel] + 1e-5).squareRoot() * gamma[channel]
                + beta[channel]
        }
    }
}
