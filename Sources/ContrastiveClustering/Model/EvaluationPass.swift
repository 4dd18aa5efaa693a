// The model in evaluation mode: features, instance vectors and cluster probabilities of plain pictures.

import NeuralNetwork
import Tensors

/// A forward pass with running statistics, with its memory.
package final class EvaluationPass {
    /// The pictures that a pass is over at most.
    package let batch: Int
    /// The pictures, [batch, S, S, 3]; written by the caller.
    package let x: Tensor
    /// h, [batch, d].
    package let features: Tensor
    /// z, [batch, D], unit rows.
    package let instances: Tensor
    /// c, [batch, M].
    package let probabilities: Tensor
    private let model: ContrastiveModel
    private let backbone: ResNetEvaluation
    private let hidden: Tensor
    private var norms: [Double]
    private let arena: Arena

    /// Plans and allocates for up to `batch` pictures.
    package init(_ model: ContrastiveModel, batch: Int) {
        self.model = model
        self.batch = batch
        let side = model.settings.imageSize
        backbone = ResNetEvaluation(model.backbone, batch: batch, side: side)
        var plan = ArenaPlan()
        let shapes = [
            [batch, side, side, 3], [batch, model.featureCount], [batch, model.settings.featureDimension],
            [batch, model.settings.clusters], [batch, model.featureCount],
        ]
        let places = shapes.map { plan.reserve($0.reduce(1, *)) }
        arena = Arena(count: plan.count)
        let tensors = zip(places, shapes).map { [arena] in Tensor(arena.base + $0, $1) }
        (x, features, instances, probabilities, hidden) = (tensors[0], tensors[1], tensors[2], tensors[3], tensors[4])
        norms = Array(repeating: 1, count: batch)
    }

    /// Takes the model's weights in; to be called whenever they have changed.
    package func prepare(_ compute: Compute) { backbone.prepare(model.weights, compute) }

    /// Bytes that the prepared weights take, see `ResNetEvaluation`.
    package var preparedBytes: Int { backbone.preparedBytes }

    /// Computes `features`, `instances` and `probabilities` of the first `count` pictures of `x`.
    package func forward(count: Int, _ compute: Compute) {
        let (features, hidden) = (features.prefix(count), hidden.prefix(count))
        let (instances, probabilities) = (instances.prefix(count), probabilities.prefix(count))
        backbone.forward(features, x.prefix(count), model.weights, compute)
        model.instanceHead.forward(instances, hidden: hidden, features, model.weights, compute)
        normalizeRows(instances, norms: &norms, instances)
        model.clusterHead.forward(probabilities, hidden: hidden, features, model.weights, compute)
        softmax(probabilities, probabilities)
    }
}
