// A ResNet with random weights, as tests of whole networks need it.

import NeuralNetwork
import Tensors

struct RandomResNet {
    let network: ResNet
    let layout: ParameterLayout
    let weights: ModelWeights

    /// Kaiming's weights; γ near 1 and β near 0; running means 0 and variances 1.
    init(_ architecture: ResNetArchitecture, seed: UInt64) {
        var layout = ParameterLayout()
        network = ResNet("resnet", architecture, &layout)
        self.layout = layout
        weights = ModelWeights(layout)
        drawParameters(seed: seed)
        for entry in layout.statistics where entry.name.hasSuffix("running_var") {
            entry.tensor(in: weights.statistics).assign([Float](repeating: 1, count: entry.count))
        }
    }

    func drawParameters(seed: UInt64) {
        var random = RandomSource(seed: seed)
        for entry in layout.parameters {
            let tensor = entry.tensor(in: weights.parameters)
            let scale = entry.shape.count == 1 ? 0.1 : (2 / Float(entry.count / entry.shape[0])).squareRoot()
            let offset: Float = entry.shape.count == 1 && entry.name.hasSuffix("weight") ? 1 : 0
            tensor.assign((0..<tensor.count).map { _ in offset + scale * random.normal() })
        }
    }

    /// Running means around 0 and variances around 1, so that every channel is scaled and shifted in its own way.
    func drawStatistics(seed: UInt64) {
        var random = RandomSource(seed: seed)
        for entry in layout.statistics {
            let isVariance = entry.name.hasSuffix("running_var")
            entry.tensor(in: weights.statistics).assign(
                (0..<entry.count).map { _ in isVariance ? 0.5 + random.uniform() : 0.2 * random.normal() })
        }
    }

    /// The values of an array of the model.
    subscript(name: String) -> Tensor {
        if let entry = layout.parameters.first(where: { $0.name == name }) {
            return entry.tensor(in: weights.parameters)
        }
        return layout.statistics.first { $0.name == name }!.tensor(in: weights.statistics)
    }
}
