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

/// What a batch normalisation makes of its input, a channel each: y = x · scale + shift, for each group of pictures that has
/// statistics of its own.
public struct Normalization: @unchecked Sendable {
    // Unchecked: a view, like `Tensor`.

    /// How many channels there are.
    public let channels: Int
    /// How many groups of equally many pictures.
    public let groups: Int
    private let data: UnsafeMutablePointer<Float>

    /// Floats that a normalisation takes.
    public static func size(channels: Int, groups: Int = 1) -> Int { 4 * channels * groups }

    /// Lays the arrays out from `data` on.
    public init(_ data: UnsafeMutablePointer<Float>, channels: Int, groups: Int = 1) {
        self.data = data
        self.channels = channels
        self.groups = groups
    }

    /// Floats from one group's arrays to the next's.
    var stride: Int { 4 * channels }
    /// The mean of x, [C].
    func mean(_ group: Int) -> UnsafeMutablePointer<Float> { data + group * stride }
    /// 1 / √(variance of x + ε), [C].
    func inverseDeviation(_ group: Int) -> UnsafeMutablePointer<Float> { data + group * stride + channels }
    /// γ / √(variance + ε), [C].
    func scale(_ group: Int) -> UnsafeMutablePointer<Float> { data + group * stride + 2 * channels }
    /// β − mean · scale, [C].
    func shift(_ group: Int) -> UnsafeMutablePointer<Float> { data + group * stride + 3 * channels }

    fileprivate func set(_ group: Int, _ channel: Int, mean: Double, variance: Double, weight: Float, bias: Float) {
        let inverse = 1 / (variance + Double(BatchNorm.epsilon)).squareRoot()
        self.mean(group)[channel] = Float(mean)
        inverseDeviation(group)[channel] = Float(inverse)
        scale(group)[channel] = Float(Double(weight) * inverse)
        shift(group)[channel] = Float(Double(bias) - mean * Double(weight) * inverse)
    }
}

/// Training: normalization = the statistics of each group of x [N, H, W, C] with γ and β; the running statistics move
/// towards them, one group after the other.
public func batchNorm(
    _ normalization: Normalization, _ x: Tensor, _ layer: BatchNorm, _ weights: ModelWeights, _ compute: Compute
) {
    let (channels, groups) = (normalization.channels, normalization.groups)
    let kernels = compute.kernels
    // The first pixel serves as origin: squares of differences from a value that occurs do not cancel as plain squares do.
    let sums = compute.sumChunks(rows: x.count / channels, channels: channels, groups: groups) {
        group, first, count, _, sum, squares in
        kernels.statistics(x.part(group, of: groups).data + first * channels, count, channels, x.data, sum, squares)
    }
    batchNorm(normalization, sums: sums, origin: x.data, rows: x.count / channels, layer, weights)
}

/// The same from sums [groups, 2, C] of x − origin and its squares over `rows` pixels of all groups together.
func batchNorm(
    _ normalization: Normalization, sums: UnsafePointer<Double>, origin: UnsafePointer<Float>, rows: Int,
    _ layer: BatchNorm, _ weights: ModelWeights
) {
    let channels = normalization.channels
    let rows = Double(rows / normalization.groups)
    let weight = layer.weight.tensor(in: weights.parameters).data
    let bias = layer.bias.tensor(in: weights.parameters).data
    let runningMean = layer.runningMean.tensor(in: weights.statistics).data
    let runningVariance = layer.runningVariance.tensor(in: weights.statistics).data
    for channel in 0..<channels {
        let start = Double(origin[channel])
        for group in 0..<normalization.groups {
            let own = sums + 2 * channels * group
            let offset = own[channel] / rows
            let variance = max(0, own[channels + channel] / rows - offset * offset)
            normalization.set(
                group, channel, mean: start + offset, variance: variance, weight: weight[channel], bias: bias[channel])
            let unbiased = variance * rows / max(1, rows - 1)
            runningMean[channel] += BatchNorm.momentum * (Float(start + offset) - runningMean[channel])
            runningVariance[channel] += BatchNorm.momentum * (Float(unbiased) - runningVariance[channel])
        }
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
            0, channel, mean: Double(mean[channel]), variance: Double(variance[channel]), weight: weight[channel],
            bias: bias[channel])
    }
}

/// y [N, H, W, C] = x normalised, with `relu` no less than 0; y may be x.
public func normalize(_ y: Tensor, _ x: Tensor, _ normalization: Normalization, relu: Bool, _ compute: Compute) {
    let (channels, groups) = (normalization.channels, normalization.groups)
    let kernels = compute.kernels
    for group in 0..<groups {
        let (from, to) = (x.part(group, of: groups), y.part(group, of: groups))
        compute.forEachChunk(rows: from.count / channels, channels: channels) { first, count, _ in
            let start = first * channels
            kernels.affine(
                to.data + start, from.data + start, count, channels, normalization.scale(group),
                normalization.shift(group), relu ? 0 : -.infinity)
        }
    }
}

/// y = max(0, x normalised + shortcut), the shortcut normalised too where `shortcutNormalization` is given; y may be either.
public func normalizeAddReLU(
    _ y: Tensor, _ x: Tensor, _ normalization: Normalization, shortcut: Tensor,
    shortcutNormalization: Normalization?, _ compute: Compute
) {
    let (channels, groups) = (normalization.channels, normalization.groups)
    let kernels = compute.kernels
    for group in 0..<groups {
        let (from, to) = (x.part(group, of: groups), y.part(group, of: groups))
        let beside = shortcut.part(group, of: groups)
        compute.forEachChunk(rows: from.count / channels, channels: channels) { first, count, _ in
            let start = first * channels
            kernels.affine_add_relu(
                to.data + start, from.data + start, count, channels, normalization.scale(group),
                normalization.shift(group), beside.data + start, shortcutNormalization?.scale(group),
                shortcutNormalization?.shift(group))
        }
    }
}

/// Where the ReLU behind a normalisation was off, by what it got.
public enum ReLUMask {
    /// There was no ReLU.
    case none
    /// It got the normalised values.
    case normalized
    /// It got them and a shortcut, which was normalised too where a normalisation is given.
    case sum(shortcut: Tensor, Normalization?)
}

/// dx = the gradient of a batch normalisation by its input x; those of γ and β go to `gradients`. dx may be d or x.
///
/// - Parameters:
///   - d: the gradient by the output of the ReLU behind, [N, H, W, C]; it is set to 0 where that was off.
public func batchNormBackward(
    _ dx: Tensor, _ d: Tensor, mask: ReLUMask = .none, _ x: Tensor, _ normalization: Normalization,
    _ layer: BatchNorm, _ weights: ModelWeights, _ gradients: Arena, _ compute: Compute
) {
    let (channels, groups) = (normalization.channels, normalization.groups)
    let kernels = compute.kernels
    let sums = compute.sumChunks(rows: x.count / channels, channels: channels, groups: groups) {
        group, first, count, _, sum, product in
        let start = first * channels
        func reduce(_ relu: UnsafePointer<ck_relu>?) {
            kernels.mask_and_reduce(
                d.part(group, of: groups).data + start, relu, x.part(group, of: groups).data + start, count, channels,
                normalization.mean(group), sum, product)
        }
        guard var relu = mask.relu(normalization, group) else { return reduce(nil) }
        if relu.r != nil { relu.r += start }
        reduce(&relu)
    }
    batchNormBackward(dx, d, sums: sums, x, normalization, layer, weights, gradients, compute)
}

/// The same from the sums [groups, 2, C] of d and of d · (x − mean), d being 0 already where the ReLU was off.
func batchNormBackward(
    _ dx: Tensor, _ d: Tensor, sums: UnsafePointer<Double>, _ x: Tensor, _ normalization: Normalization,
    _ layer: BatchNorm, _ weights: ModelWeights, _ gradients: Arena, _ compute: Compute
) {
    let (channels, groups) = (normalization.channels, normalization.groups)
    let rows = x.count / channels / groups
    let kernels = compute.kernels
    let slopes = NormalizationSlopes(sums: sums, rows: rows, normalization, layer, weights, gradients, compute)
    for group in 0..<groups {
        let (to, from, values) = (dx.part(group, of: groups), d.part(group, of: groups), x.part(group, of: groups))
        compute.forEachChunk(rows: rows, channels: channels) { first, count, _ in
            let start = first * channels
            kernels.normalize_backward(
                to.data + start, from.data + start, values.data + start, count, channels, slopes.a(group),
                slopes.b(group), normalization.mean(group), slopes.c(group))
        }
    }
}

/// The factors of a normalisation's gradient dx = a · d + b · (x − mean) + c, a channel and group each; valid until the
/// next ones.
///
/// Written out, dx = γ/σ · (d − mean(d) − x̂ · mean(d · x̂)), with x̂ = (x − mean) / σ.
struct NormalizationSlopes: @unchecked Sendable {
    // Unchecked: a view, like `Tensor`.
    private let factors: UnsafeMutablePointer<Float>
    private let channels: Int

    /// Works them out from the sums [groups, 2, C] of d and of d · (x − mean) over `rows` rows a group; the gradients of γ
    /// and β, which are sums of the same, go to `gradients`.
    init(
        sums: UnsafePointer<Double>, rows: Int, _ normalization: Normalization, _ layer: BatchNorm,
        _ weights: ModelWeights, _ gradients: Arena, _ compute: Compute
    ) {
        channels = normalization.channels
        factors = compute.reserveShared(.factors, 3 * channels * normalization.groups)
        let weight = layer.weight.tensor(in: weights.parameters).data
        let dWeight = layer.weight.tensor(in: gradients)
        let dBias = layer.bias.tensor(in: gradients)
        dWeight.clear()
        dBias.clear()
        for group in 0..<normalization.groups {
            let (sum, product) = (sums + 2 * channels * group, sums + 2 * channels * group + channels)
            for channel in 0..<channels {
                let inverse = Double(normalization.inverseDeviation(group)[channel])
                let scale = Double(weight[channel]) * inverse
                dWeight.data[channel] += Float(product[channel] * inverse)
                dBias.data[channel] += Float(sum[channel])
                a(group)[channel] = Float(scale)
                b(group)[channel] = Float(-scale * inverse * inverse * product[channel] / Double(rows))
                c(group)[channel] = Float(-scale * sum[channel] / Double(rows))
            }
        }
    }

    func a(_ group: Int) -> UnsafeMutablePointer<Float> { factors + 3 * channels * group }
    func b(_ group: Int) -> UnsafeMutablePointer<Float> { factors + 3 * channels * group + channels }
    func c(_ group: Int) -> UnsafeMutablePointer<Float> { factors + 3 * channels * group + 2 * channels }
}

extension ReLUMask {
    /// What the ReLU got, as the loops in C take it, for a group.
    fileprivate func relu(_ normalization: Normalization, _ group: Int) -> ck_relu? {
        var relu = ck_relu()
        relu.scale = UnsafePointer(normalization.scale(group))
        relu.shift = UnsafePointer(normalization.shift(group))
        switch self {
        case .none: return nil
        case .normalized: break
        case .sum(let shortcut, let beside):
            relu.r = UnsafePointer(shortcut.part(group, of: normalization.groups).data)
            relu.r_scale = beside.map { UnsafePointer($0.scale(group)) }
            relu.r_shift = beside.map { UnsafePointer($0.shift(group)) }
        }
        return relu
    }
}
