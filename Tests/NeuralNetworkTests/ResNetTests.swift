// Whole ResNets: gradients along random directions, evaluation against training statistics, agreement of instruction sets.

import NeuralNetwork
import Tensors
import XCTest

final class ResNetTests: XCTestCase {
    func testNumbersOfParametersAreTheKnownOnes() {
        // torchvision's counts without the classifier's (512 or 2048) x 1000 + 1000.
        let known: [ResNetArchitecture: Int] = [.resnet18: 11_176_512, .resnet34: 21_284_672, .resnet50: 23_508_032]
        for architecture in ResNetArchitecture.allCases {
            var layout = ParameterLayout()
            _ = ResNet("resnet", architecture, &layout)
            XCTAssertEqual(layout.parameters.reduce(0) { $0 + $1.count }, known[architecture])
        }
    }

    func testGradientAlongADirection() {
        for (architecture, batch, side) in [
            (ResNetArchitecture.resnet18, 3, 33), (.resnet50, 2, 40), (.resnet18, 33, 17),
        ] {
            let model = RandomResNet(architecture, seed: 1)
            let memory = Memory(seed: 2)
            let compute = Compute(threads: 2)
            let passMemory = ResNetMemory(model.network, batch: batch, side: side)
            let x = memory.tensor([batch, side, side, 3]) { $0.uniform() }
            let features = memory.tensor([batch, architecture.featureCount])
            let slopes = memory.tensor(features.shape)
            func loss() -> Double {
                model.network.forward(features, x, passMemory, model.weights, compute)
                return dot(features.doubles, slopes.doubles)
            }
            _ = loss()
            let gradients = Arena(count: model.layout.parameterCount)
            model.network.backward(gradients, slopes, x, passMemory, model.weights, compute)

            // Along the gradient itself the directional derivative is its norm. The step must be large: a smaller one is lost
            // in the rounding of so many weights.
            let norm = (0..<gradients.count).reduce(0.0) { $0 + pow(Double(gradients.base[$1]), 2) }.squareRoot()
            let step = 2 / norm
            let start = model.weights.parameters.values
            func moved(by step: Double) -> Double {
                for index in start.indices {
                    model.weights.parameters.base[index] =
                        start[index] + Float(step / norm * Double(gradients.base[index]))
                }
                return loss()
            }
            let slope = (moved(by: step) - moved(by: -step)) / (2 * step)
            XCTAssertEqual(slope / norm, 1, accuracy: 0.05, "\(architecture), \(batch) x \(side)")
        }
    }

    func testInstructionSetsAndThreadsAgree() {
        let model = RandomResNet(.resnet18, seed: 3)
        let memory = Memory(seed: 4)
        let x = memory.tensor([34, 24, 24, 3]) { $0.uniform() }
        let slopes = memory.tensor([34, 512])
        var expected: (features: [Double], gradients: [Float])?
        for compute in environments() {
            let passMemory = ResNetMemory(model.network, batch: 34, side: 24)
            let features = memory.tensor([34, 512])
            let gradients = Arena(count: model.layout.parameterCount)
            model.network.forward(features, x, passMemory, model.weights, compute)
            model.network.backward(gradients, slopes, x, passMemory, model.weights, compute)
            guard let reference = expected else {
                expected = (features.doubles, gradients.values)
                continue
            }
            assertClose(features, reference.features, tolerance: 2e-5, compute.name)
            let difference = zip(gradients.values, reference.gradients).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }
            let norm = reference.gradients.reduce(0.0) { $0 + pow(Double($1), 2) }
            // A ReLU's input near zero changes side between any two float32 programs, so gradients agree less than outputs.
            XCTAssertLessThan((difference / norm).squareRoot(), 0.05, compute.name)
        }
    }

    func testEvaluationWithTheBatchsOwnStatisticsEqualsTraining() {
        for architecture in ResNetArchitecture.allCases {
            let model = RandomResNet(architecture, seed: 5)
            let memory = Memory(seed: 6)
            let compute = Compute(threads: 2)
            let x = memory.tensor([8, 64, 64, 3]) { $0.uniform() }
            let passMemory = ResNetMemory(model.network, batch: 8, side: 64)
            let trained = memory.tensor([8, architecture.featureCount]), evaluated = memory.tensor(trained.shape)
            // From 0 and 1 one pass moves the running statistics by a tenth to the batch's own, the variances times
            // n / (n - 1). With that undone evaluation must equal training.
            model.network.forward(trained, x, passMemory, model.weights, compute)
            for entry in model.layout.statistics where entry.name.hasSuffix("running_mean") {
                let mean = entry.tensor(in: model.weights.statistics)
                mean.assign(mean.values.map { $0 * 10 })
            }
            var side = 32
            for entry in model.layout.statistics where entry.name.hasSuffix("running_var") {
                if entry.name.contains(".layer1.") { side = 16 }
                for stage in 2...4 where entry.name.contains(".layer\(stage).") {
                    // The bottleneck's first 1x1 convolution still has the stage before's size.
                    let isBefore = architecture == .resnet50 && entry.name.contains(".0.bn1")
                    side = 16 >> (isBefore ? stage - 2 : stage - 1)
                }
                let rows = Float(8 * side * side)
                let variance = entry.tensor(in: model.weights.statistics)
                variance.assign(variance.values.map { ($0 - 0.9) * 10 * (rows - 1) / rows })
            }
            let evaluation = ResNetEvaluation(model.network, batch: 11, side: 64)
            evaluation.prepare(model.weights, compute)
            evaluation.forward(evaluated, x, model.weights, compute)
            assertClose(evaluated, trained.doubles, tolerance: 5e-3, "\(architecture)")
        }
    }

    func testMemoryOfATrainingPassIsHardlyMoreThanTheConvolutionsOutputs() {
        // ResNet-34 at 224 pixels: convolutions' outputs a picture, by stage, the first's the stem's and its own.
        let outputs = 112 * 112 * 64 + 56 * 56 * 64 * 6 + 28 * 28 * 128 * 9 + 14 * 14 * 256 * 13 + 7 * 7 * 512 * 7
        var layout = ParameterLayout()
        let network = ResNet("resnet", .resnet34, &layout)
        for batch in [32, 256] {
            let bytes = ResNetMemory.bytes(network, batch: batch, views: 2, side: 224)
            XCTAssertGreaterThan(bytes, 2 * batch * outputs * 4)
            XCTAssertLessThan(Double(bytes), 1.05 * Double(2 * batch * outputs * 4), "\(batch)")
        }
    }

    func testWeightsLeaveAndEnterInPyTorchsOrder() {
        let model = RandomResNet(.resnet18, seed: 7)
        let copy = ModelWeights(model.layout)
        for (entry, tensor) in zip(model.layout.parameters, model.weights.exported()) {
            XCTAssertEqual(entry.name, tensor.name)
            guard case .float32(let values) = tensor.elements else { return XCTFail("float32 expected") }
            if entry.shape.count == 4 {
                let (i, k) = (entry.shape[1], entry.shape[2])
                let stored = entry.tensor(in: model.weights.parameters)
                // weight[o = 1][i = 2][y = 0][x = k - 1] in PyTorch's order and in memory's.
                XCTAssertEqual(values[(1 * i + 2) * k * k + k - 1], stored.data[((k - 1) * i + 2) * entry.shape[0] + 1])
            }
            entry.restore(values, in: copy.parameters)
        }
        XCTAssertEqual(copy.parameters.values, model.weights.parameters.values)
        let third = ModelWeights(model.layout)
        third.restore(flattened: model.weights.flattened)
        XCTAssertEqual(third.flattened, model.weights.flattened)
    }
}
