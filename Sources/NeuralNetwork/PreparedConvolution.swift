// A convolution for evaluation: the batch norm behind it is folded into its weight, and the weight is laid out for the way
// it will be multiplied, once for all passes with the same weights.
//
// A weight is prepared when a pass needs it for the first time. Winograd's form has four times as many numbers; where there
// are few tiles, reading them takes longer than the multiplications that they save, and the definition is the faster way.

import CKernels
import Tensors

/// A convolution and the batch normalisation behind it in evaluation mode, with the weights prepared.
final class PreparedConvolution {
    let unit: ConvolutionUnit
    /// What the batch normalisation is: a scale, which goes into the weight, and a shift, which is the bias.
    private let normalization: Normalization
    private let zeros: UnsafeMutablePointer<Float>
    private let arena: Arena
    private var packed: Arena?
    private var transformed: Arena?
    /// How many of Winograd's positions that has: 25, the first of the 36, where all pictures until now were cut into tiles of 3x3.
    private var positions = 0

    /// Multiplications that take as long as reading one number of a weight from memory, by measurement on two cores of Zen 3.
    private static let readingCost = 11

    init(_ unit: ConvolutionUnit) {
        self.unit = unit
        var plan = ArenaPlan()
        let zeros = plan.reserve(max(unit.inputs, unit.outputs))
        let normalization = plan.reserve(Normalization.size(channels: unit.outputs))
        arena = Arena(count: plan.count)
        self.zeros = arena.base + zeros
        self.normalization = Normalization(arena.base + normalization, channels: unit.outputs)
    }

    /// Bytes that the prepared weights take.
    var bytes: Int { ((packed?.count ?? 0) + (transformed?.count ?? 0)) * MemoryLayout<Float>.stride }

    /// Takes new weights in, in the forms that passes have needed until now.
    func prepare(_ weights: ModelWeights, _ compute: Compute) {
        batchNormEvaluation(normalization, unit.norm, weights)
        if let packed { pack(packed, weights, compute) }
        if let transformed { transform(transformed, weights, compute) }
    }

    /// y = x convolved and normalised, plus `residual`, which may be y, and with `relu` no less than 0.
    func forward(
        _ y: Tensor, _ x: Tensor, residual: Tensor? = nil, relu: Bool, _ weights: ModelWeights, _ compute: Compute
    ) {
        let problem = problem(x.shape)
        let finish = ConvolutionFinish(bias: normalization.shift(0), residual: residual, rectifies: relu)
        let tiling = WinogradTiling(problem)
        if prefersWinograd(problem, tiling, compute) {
            let weight = transformedWeight(tiling.positions, weights, compute)
            problem.evaluateByWinograd(y, x, transformed: weight, finish, compute)
        } else {
            problem.evaluateDirectly(y, x, packed: packedWeight(weights, compute), zeros: zeros, finish, compute)
        }
    }

    /// Whether Winograd takes less time, for each number of the weight as the definition has it.
    private func prefersWinograd(
        _ problem: ConvolutionProblem, _ tiling: WinogradTiling, _ compute: Compute
    ) -> Bool {
        guard problem.allowsWinograd(compute) else { return false }
        let taps = problem.window.kernel_height * problem.window.kernel_width
        let direct = problem.batch * problem.tapsInside + taps * Self.readingCost
        return tiling.multiplications + tiling.positions * Self.readingCost < direct
    }

    private func problem(_ x: [Int]) -> ConvolutionProblem {
        let kernel = unit.window.kernel
        return ConvolutionProblem(
            x: x, y: unit.outputShape(x), weight: [kernel, kernel, unit.inputs, unit.outputs], unit.window)
    }

    /// The layouts of weights do not depend on the pictures; the smallest will do.
    private var anyProblem: ConvolutionProblem { problem([1, unit.window.kernel, unit.window.kernel, unit.inputs]) }

    private func packedWeight(_ weights: ModelWeights, _ compute: Compute) -> UnsafeMutablePointer<Float> {
        if let packed { return packed.base }
        let arena = Arena(count: unit.weight.count)
        pack(arena, weights, compute)
        packed = arena
        return arena.base
    }

    private func pack(_ packed: Arena, _ weights: ModelWeights, _ compute: Compute) {
        let weight = unit.weight.tensor(in: weights.parameters)
        anyProblem.packWeight(packed.base, weight, scale: normalization.scale(0), compute)
    }

    private func transformedWeight(
        _ positions: Int, _ weights: ModelWeights, _ compute: Compute
    ) -> UnsafeMutablePointer<Float> {
        if let transformed, positions <= self.positions { return transformed.base }
        self.positions = positions
        let arena = Arena(count: anyProblem.transformedWeightSize(positions: positions))
        transform(arena, weights, compute)
        transformed = arena
        return arena.base
    }

    private func transform(_ transformed: Arena, _ weights: ModelWeights, _ compute: Compute) {
        let weight = unit.weight.tensor(in: weights.parameters)
        let scaled = Tensor(compute.reserveShared(.weights, weight.count), weight.shape)
        let rows = weight.count / unit.outputs
        compute.forEachChunk(rows: rows, channels: unit.outputs) { first, count, _ in
            let start = first * unit.outputs
            compute.kernels.affine(
                scaled.data + start, weight.data + start, count, unit.outputs, normalization.scale(0), zeros, -.infinity
            )
        }
        anyProblem.transformWeight(transformed.base, scaled, positions: positions, compute)
    }
}
