// A convolution and the batch normalisation behind it, in training: one after the other, or in one pass where the
// convolution's own passes can do the normalisation's work on the way.
//
// A unit's output is the convolution's. Its normalisation and ReLU are applied by whatever reads it, so that each value is
// written once; only where the reader cannot do that, they are made in scratch memory.

import Tensors

/// A convolution without bias and the batch normalisation behind it.
struct ConvolutionUnit: Sendable {
    /// The convolution's weight; [O, I, k, k] in PyTorch's order.
    let weight: ParameterEntry
    let window: Window
    let norm: BatchNorm

    init(
        _ name: String, norm: String, inputs: Int, outputs: Int, _ window: Window, _ layout: inout ParameterLayout
    ) {
        weight = layout.addParameter("\(name).weight", [outputs, inputs, window.kernel, window.kernel])
        self.window = window
        self.norm = BatchNorm(norm, channels: outputs, &layout)
    }

    var inputs: Int { weight.shape[1] }
    var outputs: Int { weight.shape[0] }

    /// The shape of y [N, OH, OW, O] for x [N, H, W, I].
    func outputShape(_ x: [Int]) -> [Int] { [x[0], window.positions(x[1]), window.positions(x[2]), outputs] }

    /// y = the convolution of `input`, and normalization = its batch statistics.
    func forward(
        _ y: Tensor, _ normalization: Normalization, _ input: ConvolutionInput, _ weights: ModelWeights,
        _ compute: Compute
    ) {
        let kernel = weight.tensor(in: weights.parameters)
        let problem = ConvolutionProblem(x: input.x.shape, y: y.shape, weight: kernel.shape, window)
        guard problem.way(compute) == .winograd else {
            convolution(y, rectified(input, compute), weight: kernel, window, compute)
            batchNorm(normalization, y, norm, weights, compute)
            return
        }
        // The running mean is near the batch's, so squares of differences from it do not cancel.
        let origin = norm.runningMean.tensor(in: weights.statistics).data
        let ending = ConvolutionEnding.sum(origin: origin, groups: normalization.groups)
        let sums = problem.forwardByWinograd(y, input, kernel, ending: ending, compute)!
        batchNorm(normalization, sums: sums, origin: origin, rows: y.count / outputs, norm, weights)
    }

    /// The gradients for dy, the gradient by the convolution's output: the weight's goes to `gradients`, and the one by the
    /// unit before's output, through its ReLU and normalisation, takes the place of that output.
    ///
    /// - Parameters:
    ///   - d: scratch of the shape of the unit before's output.
    ///   - input: what the unit before made: its output and normalisation.
    ///   - before: the unit before.
    func backward(
        _ d: Tensor, _ dy: Tensor, _ input: (x: Tensor, normalization: Normalization), before: ConvolutionUnit,
        _ weights: ModelWeights, _ gradients: Arena, _ compute: Compute
    ) {
        let kernel = weight.tensor(in: weights.parameters), dKernel = weight.tensor(in: gradients)
        let (x, normalization) = input
        let problem = ConvolutionProblem(x: x.shape, y: dy.shape, weight: kernel.shape, window)
        if problem.way(compute) == .winograd {
            problem.backwardWeightByWinograd(dKernel, ConvolutionInput(x: x, normalization: normalization), dy, compute)
            let ending = ConvolutionEnding.maskAndSum(x: x, normalization: normalization)
            let sums = problem.backwardDataByWinograd(d, dy, kernel, ending: ending, compute)!
            batchNormBackward(x, d, sums: sums, x, normalization, before.norm, weights, gradients, compute)
        } else {
            let activation = rectified(ConvolutionInput(x: x, normalization: normalization), compute)
            convolutionBackwardWeight(dKernel, activation, dy, window, compute)
            convolutionBackwardData(d, dy, weight: kernel, window, compute)
            batchNormBackward(x, d, mask: .normalized, x, normalization, before.norm, weights, gradients, compute)
        }
    }

    /// The gradients for dy where the input is a block's: the weight's, and dx += or = the one by the input.
    ///
    /// - Parameter before: what the unit that ends the block before made, where that block's ReLU is the next to be gone
    ///   back through and dx is complete with this.
    /// - Returns: where dx has been gone back through that ReLU on the way, its sums for the normalisation before, valid
    ///   until the next ones.
    @discardableResult
    func backward(
        _ dx: Tensor, adds: Bool, _ dy: Tensor, _ x: Tensor, before: (x: Tensor, normalization: Normalization)?,
        _ weights: ModelWeights, _ gradients: Arena, _ compute: Compute
    ) -> UnsafePointer<Double>? {
        let kernel = weight.tensor(in: weights.parameters)
        convolutionBackwardWeight(weight.tensor(in: gradients), x, dy, window, compute)
        let problem = ConvolutionProblem(x: x.shape, y: dy.shape, weight: kernel.shape, window)
        if let before, adds, problem.way(compute) == .winograd {
            let ending = ConvolutionEnding.addMaskAndSum(
                rectified: x, x: before.x, normalization: before.normalization)
            return problem.backwardDataByWinograd(dx, dy, kernel, ending: ending, compute)
        }
        convolutionBackwardData(dx, dy, weight: kernel, window, adds: adds, compute)
        return nil
    }

    /// The input's values, in scratch memory where they have to be made.
    private func rectified(_ input: ConvolutionInput, _ compute: Compute) -> Tensor {
        guard let normalization = input.normalization else { return input.x }
        let values = Tensor(compute.reserveShared(.rectified, input.x.count), input.x.shape)
        normalize(values, input.x, normalization, relu: true, compute)
        return values
    }
}
