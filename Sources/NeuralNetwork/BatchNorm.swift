// Batch normalisation over NHWC (Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167), as PyTorch has it.
//
// The operation is split where others can do part of the work: the statistics are one pass over x, the normalisation is a
// scale and a shift a channel that whatever reads x applies on the way, together with the ReLU behind it.

import CKernels
import Glibc
import Tensors

/// A batch normalisation's arrays.
public struct BatchNorm: Sendable {
    /// The factor γ, [C].
    public let weight: ParameterEntry
    /// The offset β, [C].
    public let bias: ParameterEntry
    /// The running mean, [C].
    public let runningMean: ParameterEntry
    /// The running unbiased variance, [C].
    public let runningVariance: ParameterEntry
    /// How much of a running statistic a batch replaces.
    public static let momentum: Float = 0.1
    /// What is added to a variance before its root is taken.
    public static let epsilon: Float = 1e-5

    /// Declares the arrays under `name`.
    public init(_ name: String, channels: Int, _ layout: inout ParameterLayout) {
        weight = layout.addParameter("\(name).weight", [channels])
        bias = layout.addParameter("\(name).bias", [channels])
        runningMean = layout.addStatistic("\(name).running_mean", [channels])
        runningVariance = layout.addStatistic("\(name).running_var", [channels])
    }
}

/// What a batch normalisation makes of its input, a channel each: y = x · scale + shift.
public struct Normalization: @unchecked Sendable {
    // Unchecked: a view, like `Tensor`.

    /// How many channels there are.
    public let channels: Int
    /// The mean of x, [C].
    public let mean: UnsafeMutablePointer<Float>
    /// 1 / √(variance of x + ε), [C].
    public let inverseDeviation: UnsafeMutablePointer<Float>
    /// γ / √(variance + ε), [C].
    public let scale: UnsafeMutablePointer<Float>
    /// β − mean · scale, [C].
    public let shift: UnsafeMutablePointer<Float>

    /// Floats that a normalisation of `channels` channels takes.
    public static func size(channels: Int) -> Int { 4 * channels }

    /// Lays the four arrays out from `data` on.
    public init(_ data: UnsafeMutablePointer<Float>, channels: Int) {
        self.channels = channels
        mean = data
        inverseDeviation = data + channels
        scale = data + 2 * channels
        shift = data + 3 * channels
    }

    fileprivate func set(_ channel: Int, mean: Double, variance: Double, weight: Float, bias: Float) {
        let inverse = 1 / (variance + Double(BatchNorm.epsilon)).squareRoot()
        self.mean[channel] = Float(mean)
        inverseDeviation[channel] = Float(inverse)
        scale[channel] = Float(Double(weight) * inverse)
        shift[channel] = Float(Double(bias) - mean * Double(weight) * inverse)
    }
}

/// Training: normalization = the statistics of x [N, H, W, C] with γ and β; the running statistics move towards them.
public func batchNorm(
    _ normalization: Normalization, _ x: Tensor, _ layer: BatchNorm, _ weights: ModelWeights, _ compute: Compute
) {
    let channels = normalization.channels
    let rows = x.count / channels
    let kernels = compute.kernels
    // The first pixel serves as origin: squares of differences from a value that occurs do not cancel as plain squares do.
    let (sums, squares) = compute.sumChunks(rows: rows, channels: channels) { first, count, sum, squares in
        kernels.statistics(x.data + first * channels, count, channels, x.data, sum, squares)
    }
    let weight = layer.weight.tensor(in: weights.parameters).data
    let bias = layer.bias.tensor(in: weights.parameters).data
    let runningMean = layer.runningMean.tensor(in: weights.statistics).data
    let runningVariance = layer.runningVariance.tensor(in: weights.statistics).data
    for channel in 0..<channels {
        let offset = sums[channel] / Double(rows)
        let mean = Double(x.data[channel]) + offset
        let variance = max(0, squares[channel] / Double(rows) - offset * offset)
        normalization.set(channel, mean: mean, variance: variance, weight: weight[channel], bias: bias[channel])
        let unbiased = variance * Double(rows) / Double(max(1, rows - 1))
        runningMean[channel] += BatchNorm.momentum * (Float(mean) - runningMean[channel])
        runningVariance[channel] += BatchNorm.momentum * (Float(unbiased) - runningVariance[channel])
    }
}

/// Evaluation: normalization = the running statistics with γ and β.
public func batchNormEvaluation(_ normalization: Normalization, _ layer: BatchNorm, _ weights: ModelWeights) {
    let weight = layer.weight.tensor(in: weights.parameters).data
    let bias = layer.bias.tensor(in: weights.parameters).data
    let mean = layer.runningMean.tensor(in: weights.statistics).data
    let variance = layer.runningVariance.tensor(in: weights.statistics).data
    for channel in 0..<normalization.channels {
        normalization.set(
            channel, mean: Double(mean[channel]), variance: Double(variance[channel]), weight: weight[channel],
            bias: bias[channel])
    }
}

/// y [N, H, W, C] = x normalised, with `relu` no less than 0; y may be x.
public func normalize(_ y: Tensor, _ x: Tensor, _ normalization: Normalization, relu: Bool, _ compute: Compute) {
    let channels = normalization.channels
    let kernels = compute.kernels
    compute.forEachChunk(rows: x.count / channels, channels: channels) { first, count in
        let start = first * channels
        kernels.affine(
            y.data + start, x.data + start, count, channels, normalization.scale, normalization.shift,
            relu ? 0 : -.infinity)
    }
}

/// y = max(0, x normalised + shortcut), the shortcut normalised too where `shortcutNormalization` is given; y may be either.
public func normalizeAddReLU(
    _ y: Tensor, _ x: Tensor, _ normalization: Normalization, shortcut: Tensor,
    shortcutNormalization: Normalization?, _ compute: Compute
) {
    let channels = normalization.channels
    let kernels = compute.kernels
    compute.forEachChunk(rows: x.count / channels, channels: channels) { first, count in
        let start = first * channels
        kernels.affine_add_relu(
            y.data + start, x.data + start, count, channels, normalization.scale, normalization.shift,
            shortcut.data + start, shortcutNormalization?.scale, shortcutNormalization?.shift)
    }
}

/// dx = the gradient of a batch normalisation by its input x; dγ and dβ are added to `gradients`. dx may be d.
///
/// - Parameters:
///   - d: the gradient by the output, [N, H, W, C]; where `activation` is given it is set to 0 first at the places where
///     that is not positive, which is the gradient of the ReLU that made it.
public func batchNormBackward(
    _ dx: Tensor, _ d: Tensor, activation: Tensor? = nil, _ x: Tensor, _ normalization: Normalization,
    _ layer: BatchNorm, _ weights: ModelWeights, _ gradients: Arena, _ compute: Compute
) {
    let channels = normalization.channels
    let rows = x.count / channels
    let kernels = compute.kernels
    let (sums, products) = compute.sumChunks(rows: rows, channels: channels) { first, count, sum, product in
        let start = first * channels
        kernels.mask_and_reduce(
            d.data + start, activation.map { UnsafePointer($0.data + start) }, x.data + start, count, channels,
            normalization.mean, sum, product)
    }
    let weight = layer.weight.tensor(in: weights.parameters).data
    let dWeight = layer.weight.tensor(in: gradients).data
    let dBias = layer.bias.tensor(in: gradients).data
    // dx = γ/σ · (d − mean(d) − x̂ · mean(d · x̂)), with x̂ = (x − mean) / σ.
    let factors = compute.reserveShared(3 * channels)
    let (a, b, c) = (factors, factors + channels, factors + 2 * channels)
    for channel in 0..<channels {
        let inverse = Double(normalization.inverseDeviation[channel])
        let scale = Double(weight[channel]) * inverse
        dWeight[channel] += Float(products[channel] * inverse)
        dBias[channel] += Float(sums[channel])
        a[channel] = Float(scale)
        b[channel] = Float(-scale * inverse * inverse * products[channel] / Double(rows))
        c[channel] = Float(-scale * sums[channel] / Double(rows))
    }
    compute.forEachChunk(rows: rows, channels: channels) { first, count in
        let start = first * channels
        kernels.normalize_backward(
            dx.data + start, d.data + start, x.data + start, count, channels, a, b, normalization.mean, c)
    }
}
