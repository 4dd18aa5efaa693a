// One training pass over two views of a mini-batch: losses forward, gradients backward. All memory is planned for the
// largest mini-batch; nothing is allocated from step to step.

import NeuralNetwork
import Tensors

/// A forward and a backward pass with batch statistics, with their memory.
package final class TrainingPass {
    /// The pictures that a view has at most.
    package let batch: Int
    /// The pictures of both views; others of the same size may take their place between two passes.
    package var pictures: ViewPictures
    /// The gradient of each parameter, laid out like the parameters.
    package let gradients: Arena
    private let model: ContrastiveModel
    private let settings: LossSettings
    private let backboneMemory: ResNetMemory
    private let memory: Memory
    private let arena: Arena
    private var loss: (batch: Int, function: ContrastiveLoss)
    private var norms: [Double]

    /// Where the rows of both views lie.
    private struct Memory {
        let h, z, c, instanceHidden, clusterHidden, dh, dz, dc, dhidden: Tensor
    }

    /// Plans and allocates for up to `batch` pictures a view.
    package init(_ model: ContrastiveModel, batch: Int, settings: LossSettings = LossSettings()) {
        self.model = model
        self.batch = batch
        self.settings = settings
        let side = model.settings.imageSize
        backboneMemory = ResNetMemory(model.backbone, batch: batch, views: 2, side: side)
        gradients = Arena(count: model.weights.parameters.count)

        let (rows, width) = (2 * batch, model.featureCount)
        let (instance, clusters) = (model.settings.featureDimension, model.settings.clusters)
        var plan = ArenaPlan()
        let shapes = [width, instance, clusters, width, width, width, instance, clusters, width].map { [rows, $0] }
        let places = shapes.map { plan.reserve($0.reduce(1, *)) }
        let arena = Arena(count: plan.count)
        let tensors = zip(places, shapes).map { Tensor(arena.base + $0, $1) }
        memory = Memory(
            h: tensors[0], z: tensors[1], c: tensors[2], instanceHidden: tensors[3], clusterHidden: tensors[4],
            dh: tensors[5], dz: tensors[6], dc: tensors[7], dhidden: tensors[8])
        pictures = ViewPictures(batch: batch, side: side)
        self.arena = arena
        loss = (batch, ContrastiveLoss(batch: batch, clusters: clusters, settings: settings))
        norms = Array(repeating: 1, count: rows)
    }

    /// Each view's pictures, [count, S, S, 3], for a pass over `count` pictures a view; to be written by the caller.
    package func views(count: Int) -> [Tensor] { pictures.views(count: count) }

    /// h of the last forward pass over `count` pictures a view, [2 count, d], view a's before view b's.
    package func features(count: Int) -> Tensor { memory.h.prefix(2 * count) }

    /// z, [2 count, D], likewise.
    package func instances(count: Int) -> Tensor { memory.z.prefix(2 * count) }

    /// c, [2 count, M], likewise.
    package func probabilities(count: Int) -> Tensor { memory.c.prefix(2 * count) }

    /// The losses of the first `count` pictures of each view; the running statistics move twice, once a view.
    package func forward(count: Int, _ compute: Compute) -> Losses {
        precondition(count >= 1 && count <= batch)
        let weights = model.weights
        let (h, z, c) = (features(count: count), instances(count: count), probabilities(count: count))
        model.backbone.forward(h, pictures.both.prefix(2 * count), backboneMemory, weights, compute)
        model.instanceHead.forward(z, hidden: memory.instanceHidden.prefix(2 * count), h, weights, compute)
        normalizeRows(z, norms: &norms, z)
        model.clusterHead.forward(c, hidden: memory.clusterHidden.prefix(2 * count), h, weights, compute)
        softmax(c, c)
        if loss.batch != count {
            loss = (count, ContrastiveLoss(batch: count, clusters: model.settings.clusters, settings: settings))
        }
        return loss.function.forward(z: z, c: c)
    }

    /// Sets `gradients` to those of the losses that `forward` gave last, for the same `count`; once for each forward pass.
    ///
    /// Those of a head that is not trained stay 0, as they were allocated.
    package func backward(count: Int, _ compute: Compute) {
        let weights = model.weights
        let (h, z, c) = (features(count: count), instances(count: count), probabilities(count: count))
        let (dh, dz, dc) = (memory.dh.prefix(2 * count), memory.dz.prefix(2 * count), memory.dc.prefix(2 * count))
        let dhidden = memory.dhidden.prefix(2 * count)
        loss.function.backward(dz: dz, dc: dc, z: z)
        if settings.heads != .cluster {
            normalizeRowsBackward(dz, dz, y: z, norms: norms)
            model.instanceHead.backward(
                dh, adds: false, dz, dhidden: dhidden, hidden: memory.instanceHidden.prefix(2 * count), h, weights,
                gradients, compute)
        }
        if settings.heads != .instance {
            softmaxBackward(dc, dc, c)
            model.clusterHead.backward(
                dh, adds: settings.heads == .both, dc, dhidden: dhidden,
                hidden: memory.clusterHidden.prefix(2 * count), h, weights, gradients, compute)
        }
        model.backbone.backward(gradients, dh, pictures.both.prefix(2 * count), backboneMemory, weights, compute)
    }
}
