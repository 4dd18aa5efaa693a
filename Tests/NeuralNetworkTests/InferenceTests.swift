// Evaluation with prepared weights, held against the same network layer by layer: plain convolutions, batch norm in double,
// nothing folded, nothing in place.

import NeuralNetwork
import Tensors
import XCTest

final class InferenceTests: XCTestCase {
    /// Batches that the direct convolution cuts by pixels or by pictures, evenly or not; with 33 Winograd serves more layers.
    private static let batches = [1, 2, 3, 7, 33]

    func testFoldedEqualsUnfolded() {
        for (architecture, side) in [(ResNetArchitecture.resnet18, 61), (.resnet34, 37), (.resnet50, 42)] {
            let model = RandomResNet(architecture, seed: 1)
            model.drawStatistics(seed: 2)
            let memory = Memory(seed: 3)
            let x = memory.tensor([33, side, side, 3]) { $0.uniform() }
            let expected = unfolded(model, x, memory)
            for compute in environments() {
                let evaluation = ResNetEvaluation(model.network, batch: 33, side: side)
                evaluation.prepare(model.weights, compute)
                for batch in Self.batches {
                    let features = memory.tensor([batch, architecture.featureCount])
                    evaluation.forward(features, x.prefix(batch), model.weights, compute)
                    assertClose(
                        features, Array(expected.prefix(features.count)),
                        "\(architecture), \(batch) x \(side), \(compute.name)")
                }
            }
        }
    }

    /// At this size five images go through the first stage together, so the sixth is a slice of its own.
    func testSlicesOfABatch() {
        let model = RandomResNet(.resnet18, seed: 4)
        model.drawStatistics(seed: 5)
        let memory = Memory(seed: 6)
        let compute = Compute(threads: 2)
        let x = memory.tensor([6, 193, 193, 3]) { $0.uniform() }
        let features = memory.tensor([6, 512])
        let evaluation = ResNetEvaluation(model.network, batch: 6, side: 193)
        evaluation.prepare(model.weights, compute)
        evaluation.forward(features, x, model.weights, compute)
        assertClose(features, unfolded(model, x, memory))
    }

    func testAnImageDoesNotDependOnItsCompany() {
        let model = RandomResNet(.resnet34, seed: 7)
        model.drawStatistics(seed: 8)
        let memory = Memory(seed: 9)
        for compute in environments() {
            let evaluation = ResNetEvaluation(model.network, batch: 33, side: 40)
            evaluation.prepare(model.weights, compute)
            let x = memory.tensor([33, 40, 40, 3]) { $0.uniform() }
            let together = memory.tensor([33, 512])
            evaluation.forward(together, x, model.weights, compute)
            for index in [0, 5, 32] {
                let alone = memory.tensor([1, 512])
                evaluation.forward(alone, x.part(index, of: 33), model.weights, compute)
                assertClose(alone, together.part(index, of: 33).doubles, "image \(index), \(compute.name)")
            }
        }
    }

    func testNewWeightsReplaceThePreparedOnes() {
        let model = RandomResNet(.resnet18, seed: 10)
        model.drawStatistics(seed: 11)
        let memory = Memory(seed: 12)
        let compute = Compute(threads: 2)
        let x = memory.tensor([33, 48, 48, 3]) { $0.uniform() }
        let evaluation = ResNetEvaluation(model.network, batch: 33, side: 48)
        func check(_ batches: [Int]) {
            evaluation.prepare(model.weights, compute)
            let expected = unfolded(model, x, memory)
            for batch in batches {
                let features = memory.tensor([batch, 512])
                evaluation.forward(features, x.prefix(batch), model.weights, compute)
                assertClose(features, Array(expected.prefix(features.count)), "batch \(batch)")
            }
        }
        XCTAssertEqual(evaluation.preparedBytes, 0, "weights are prepared when a pass needs them")
        check([1])
        let direct = evaluation.preparedBytes
        XCTAssertGreaterThan(direct, 0)
        // Both forms exist from here on; new weights must reach both, and need no more memory.
        check([1, 33])
        let both = evaluation.preparedBytes
        XCTAssertGreaterThan(both, direct)
        model.drawParameters(seed: 13)
        model.drawStatistics(seed: 14)
        check([33, 1])
        XCTAssertEqual(evaluation.preparedBytes, both)
    }

    // MARK: The same network, layer by layer

    /// The features of x, from the names of the model's arrays.
    private func unfolded(_ model: RandomResNet, _ x: Tensor, _ memory: Memory) -> [Double] {
        let compute = Compute(threads: 2, instructionSet: .baseline)
        func layer(_ x: Tensor, _ name: String, norm: String, stride: Int = 1) -> Tensor {
            let weight = model["resnet.\(name).weight"], kernel = weight.shape[0]
            let window = Window(kernel: kernel, stride: stride, padding: kernel / 2)
            let shape = [x.shape[0], window.positions(x.shape[1]), window.positions(x.shape[2]), weight.shape[3]]
            let y = memory.zeros(shape)
            convolution(y, x, weight: weight, window, compute)
            let norm = ["weight", "bias", "running_mean", "running_var"].map { model["resnet.\(norm).\($0)"].doubles }
            for index in 0..<y.count {
                let channel = index % shape[3]
                let normal = (Double(y.data[index]) - norm[2][channel]) / (norm[3][channel] + 1e-5).squareRoot()
                y.data[index] = Float(normal * norm[0][channel] + norm[1][channel])
            }
            return y
        }
        func rectify(_ y: Tensor, plus x: Tensor? = nil) {
            for index in 0..<y.count { y.data[index] = max(0, y.data[index] + (x?.data[index] ?? 0)) }
        }
        let stem = layer(x, "conv1", norm: "bn1", stride: 2)
        rectify(stem)
        let window = Window(kernel: 3, stride: 2, padding: 1)
        var current = memory.zeros([x.shape[0], window.positions(stem.shape[1]), window.positions(stem.shape[2]), 64])
        var places = [UInt8](repeating: 0, count: current.count)
        maxPool(current, index: &places, stem, window, compute)

        let isDeep = model.network.architecture == .resnet50
        let names = Set(model.layout.parameters.map(\.name))
        for stage in 1...4 {
            var index = 0
            while names.contains("resnet.layer\(stage).\(index).conv1.weight") {
                let block = "layer\(stage).\(index)", stride = stage > 1 && index == 0 ? 2 : 1
                var y = layer(current, "\(block).conv1", norm: "\(block).bn1", stride: isDeep ? 1 : stride)
                rectify(y)
                y = layer(y, "\(block).conv2", norm: "\(block).bn2", stride: isDeep ? stride : 1)
                if isDeep {
                    rectify(y)
                    y = layer(y, "\(block).conv3", norm: "\(block).bn3")
                }
                if names.contains("resnet.\(block).downsample.0.weight") {
                    current = layer(current, "\(block).downsample.0", norm: "\(block).downsample.1", stride: stride)
                }
                rectify(y, plus: current)
                current = y
                index += 1
            }
        }
        let features = memory.zeros([x.shape[0], current.shape[3]])
        globalAveragePool(features, current, compute)
        return features.doubles
    }
}
