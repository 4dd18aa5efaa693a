// The network of Contrastive Clustering: a ResNet and two heads on its features, with their weights.
//
// Names and layouts are those of the authors' PyTorch model, so that weights go either way unchanged.

import NeuralNetwork
import Tensors

/// A backbone with an instance head and a cluster head.
package final class ContrastiveModel {
    /// The model's shape.
    package let settings: ModelSettings
    /// Every array's values.
    package let weights: ModelWeights
    let backbone: ResNet
    let instanceHead: ProjectionHead
    let clusterHead: ProjectionHead

    /// The length of a feature vector h.
    package var featureCount: Int { settings.architecture.featureCount }

    /// Creates a model, all values 0.
    package init(_ settings: ModelSettings) {
        precondition(settings.imageSize > 0 && settings.clusters > 1 && settings.featureDimension > 0)
        self.settings = settings
        var layout = ParameterLayout()
        backbone = ResNet("resnet", settings.architecture, &layout)
        let width = settings.architecture.featureCount
        instanceHead = ProjectionHead(
            "instance_projector", width: width, outputs: settings.featureDimension, &layout)
        clusterHead = ProjectionHead("cluster_projector", width: width, outputs: settings.clusters, &layout)
        weights = ModelWeights(layout)
    }

    // MARK: Initial values

    /// Draws initial values: convolutions normal with variance 2 / fan-out (He et al. 2015), linear layers uniform within
    /// ±1/√fan-in, as PyTorch has it, batch norms 1 and 0.
    package func initialize(seed: UInt64, _ compute: Compute) {
        let parameters = weights.layout.parameters
        let arena = weights.parameters
        let linearLayers = [instanceHead, clusterHead].flatMap { [$0.first, $0.second] }
        let fanIn = Dictionary(
            uniqueKeysWithValues: linearLayers.flatMap { layer in
                [layer.weight, layer.bias].map { ($0.name, layer.weight.shape[1]) }
            })
        compute.pool.run(parameters.count) { index, _ in
            let entry = parameters[index]
            var random = RandomSource(seed: seed, stream: UInt64(index))
            let values = entry.tensor(in: arena)
            if entry.shape.count == 4 {
                let deviation = (2 / Float(entry.shape[0] * entry.shape[2] * entry.shape[3])).squareRoot()
                for position in 0..<values.count { values.data[position] = random.normal() * deviation }
            } else if let fanIn = fanIn[entry.name] {
                let bound = 1 / Float(fanIn).squareRoot()
                for position in 0..<values.count { values.data[position] = random.uniform(in: -bound...bound) }
            } else {
                values.data.update(repeating: entry.name.hasSuffix(".weight") ? 1 : 0, count: values.count)
            }
        }
        for entry in weights.layout.statistics {
            let values = entry.tensor(in: weights.statistics)
            values.data.update(repeating: entry.isVariance ? 1 : 0, count: values.count)
        }
    }

    // MARK: The way in and out

    /// All arrays as the authors' model names and lays them out, with the counters of its batch norms.
    ///
    /// - Parameter steps: how many steps the weights were trained for; each counts two batches, one a view.
    package func exported(steps: UInt64) -> [NamedTensor] {
        let suffix = ParameterEntry.varianceSuffix
        let counters = weights.layout.statistics.filter(\.isVariance).map { entry in
            NamedTensor(
                name: entry.name.dropLast(suffix.count) + ".num_batches_tracked", shape: [],
                elements: .int64([Int64(clamping: steps) &* 2]))
        }
        return weights.exported() + counters
    }

    /// Reads all arrays, and changes nothing.
    ///
    /// - Returns: what puts the values into the weights.
    /// - Throws: `StateMismatch` where an array is missing, of another shape or not finite.
    func readWeights(_ state: StateReader) throws -> () -> Void {
        let layout = weights.layout
        let parameters = try layout.parameters.map { try state.finite($0.name, shape: $0.shape) }
        let statistics = try layout.statistics.map { entry in
            let values = try state.finite(entry.name, shape: entry.shape)
            guard !entry.isVariance || values.allSatisfy({ $0 >= 0 }) else {
                throw StateMismatch("\(entry.name) holds a negative variance")
            }
            return values
        }
        return { [weights] in
            for (entry, values) in zip(layout.parameters, parameters) { entry.restore(values, in: weights.parameters) }
            for (entry, values) in zip(layout.statistics, statistics) { entry.restore(values, in: weights.statistics) }
        }
    }
}

extension ParameterEntry {
    fileprivate static let varianceSuffix = ".running_var"

    /// Whether this is the running variance of a batch norm.
    fileprivate var isVariance: Bool { name.hasSuffix(Self.varianceSuffix) }
}
