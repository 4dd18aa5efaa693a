// What a step minimises: the instance loss over rows, the cluster loss over columns and the entropy term, with their
// gradients (Li et al. 2021, section 3). Its memory is planned once for a batch size.

import Tensors

/// The losses of Contrastive Clustering for one shape of mini-batch.
package final class ContrastiveLoss {
    private let settings: LossSettings
    private let arena: Arena
    // The softmaxes [2N, 2N] and [2M, 2M] of the similarities.
    private let instanceProbabilities: Tensor
    private let clusterProbabilities: Tensor
    // The columns of both views at unit length and their gradient [2M, N], and the lengths that they had.
    private let columns: Tensor
    private let dcolumns: Tensor
    private var norms: [Double]
    // The mean assignment of each view.
    private var shares: [[Double]]

    /// Plans the memory for mini-batches of `batch` images and a model of `clusters` clusters.
    package init(batch: Int, clusters: Int, settings: LossSettings = LossSettings()) {
        self.settings = settings
        var plan = ArenaPlan()
        let instance = plan.reserve(settings.heads == .cluster ? 0 : 4 * batch * batch)
        let cluster = plan.reserve(4 * clusters * clusters)
        let unit = plan.reserve(2 * clusters * batch)
        let dunit = plan.reserve(2 * clusters * batch)
        arena = Arena(count: plan.count)
        instanceProbabilities = Tensor(arena.base + instance, [2 * batch, 2 * batch])
        clusterProbabilities = Tensor(arena.base + cluster, [2 * clusters, 2 * clusters])
        columns = Tensor(arena.base + unit, [2 * clusters, batch])
        dcolumns = Tensor(arena.base + dunit, [2 * clusters, batch])
        norms = Array(repeating: 1, count: 2 * clusters)
        shares = Array(repeating: Array(repeating: 0, count: clusters), count: 2)
    }

    /// The losses of a mini-batch.
    ///
    /// - Parameters:
    ///   - z: [2N, dimension], unit rows, view a's before view b's
    ///   - c: [2N, M], the probabilities of each cluster, view a's before view b's
    package func forward(z: Tensor, c: Tensor) -> Losses {
        var losses = Losses(instance: 0, cluster: 0, entropy: 0)
        if settings.heads != .cluster {
            losses.instance = Float(pairLoss(instanceProbabilities, z, temperature: settings.instanceTemperature))
        }
        if settings.heads != .instance {
            for view in 0..<2 { transpose(half(of: columns, view), half(of: c, view)) }
            normalizeRows(columns, norms: &norms, columns)
            losses.cluster = Float(pairLoss(clusterProbabilities, columns, temperature: settings.clusterTemperature))
            losses.entropy = Float(
                entropyLoss(&shares[0], half(of: c, 0)) + entropyLoss(&shares[1], half(of: c, 1)))
        }
        return losses
    }

    /// The gradients of the losses that `forward` gave last; once for each of its calls.
    ///
    /// - Parameters:
    ///   - dz: [2N, dimension], with respect to the unit rows
    ///   - dc: [2N, M], with respect to the probabilities
    ///   - z: [2N, dimension], as `forward` saw it
    package func backward(dz: Tensor, dc: Tensor, z: Tensor) {
        if settings.heads == .cluster {
            dz.clear()
        } else {
            pairLossBackward(
                dz, probabilities: instanceProbabilities, z, temperature: settings.instanceTemperature)
        }
        if settings.heads == .instance {
            dc.clear()
        } else {
            pairLossBackward(
                dcolumns, probabilities: clusterProbabilities, columns, temperature: settings.clusterTemperature)
            normalizeRowsBackward(dcolumns, dcolumns, y: columns, norms: norms)
            for view in 0..<2 {
                transpose(half(of: dc, view), half(of: dcolumns, view))
                addEntropyLossBackward(half(of: dc, view), shares: shares[view])
            }
        }
    }
}

/// The rows of one view, 0 or 1, of a tensor that holds both.
private func half(of tensor: Tensor, _ view: Int) -> Tensor {
    let shape = [tensor.shape[0] / 2, tensor.shape[1]]
    return Tensor(tensor.data + view * shape[0] * shape[1], shape)
}

/// y = xᵀ.
///
/// - Parameters:
///   - y: [columns, rows]
///   - x: [rows, columns]
private func transpose(_ y: Tensor, _ x: Tensor) {
    let (rows, columns) = (x.shape[0], x.shape[1])
    for row in 0..<rows {
        for column in 0..<columns { y.data[column * rows + row] = x.data[row * columns + column] }
    }
}
