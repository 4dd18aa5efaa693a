// Convolution over NHWC pictures: forward, and its two gradients beside it.
//
// There are four ways to compute it. By Winograd's minimal filtering: for 3x3 windows with stride 1. Directly: windows are
// multiplied where they lie; for other forward passes. By rows: a block of windows is gathered into rows and multiplied with
// the weight; for gradients of large pictures and any number of channels. By pixels: for each output pixel, the pixel's row of
// all pictures of the batch is one strided matrix and nothing is gathered at all, and taps that fall into the padding, most of
// them in small pictures, are never computed; for gradients of small pictures and large batches.

import CKernels
import Tensors

/// y [N, OH, OW, O] = x [N, H, W, I] convolved with weight [kH, kW, I, O] (a cross-correlation, as everywhere in the field).
public func convolution(_ y: Tensor, _ x: Tensor, weight: Tensor, _ window: Window, _ compute: Compute) {
    let problem = ConvolutionProblem(x: x.shape, y: y.shape, weight: weight.shape, window)
    switch problem.way(compute) {
    case .winograd: problem.forwardByWinograd(y, ConvolutionInput(x: x), weight, compute)
    case .pixels where problem.allowsDirect(compute), .rows where problem.allowsDirect(compute):
        problem.forwardDirectly(y, x, weight, compute)
    case .pixels, .rows: problem.forwardByRows(y, x, weight, compute)
    }
}

/// dx [N, H, W, I] = or, where `adds`, += the gradient of a convolution by its input, for dy [N, OH, OW, O].
public func convolutionBackwardData(
    _ dx: Tensor, _ dy: Tensor, weight: Tensor, _ window: Window, adds: Bool = false, _ compute: Compute
) {
    let problem = ConvolutionProblem(x: dx.shape, y: dy.shape, weight: weight.shape, window)
    switch problem.way(compute) {
    case .winograd: problem.backwardDataByWinograd(dx, dy, weight, ending: adds ? .add : .store, compute)
    case .pixels: problem.backwardDataByPixels(dx, dy, weight, adds: adds, compute)
    case .rows: problem.backwardDataByRows(dx, dy, weight, adds: adds, compute)
    }
}

/// dWeight [kH, kW, I, O] = the gradient of a convolution by its weight, for x [N, H, W, I] and dy [N, OH, OW, O].
public func convolutionBackwardWeight(
    _ dWeight: Tensor, _ x: Tensor, _ dy: Tensor, _ window: Window, _ compute: Compute
) {
    let problem = ConvolutionProblem(x: x.shape, y: dy.shape, weight: dWeight.shape, window)
    switch problem.way(compute) {
    case .winograd: problem.backwardWeightByWinograd(dWeight, ConvolutionInput(x: x), dy, compute)
    case .pixels: problem.backwardWeightByPixels(dWeight, x, dy, compute)
    case .rows: problem.backwardWeightByRows(dWeight, x, dy, compute)
    }
}

extension ConvolutionProblem {
    /// The ways to compute a convolution.
    enum Way { case winograd, pixels, rows }

    func way(_ compute: Compute) -> Way {
        if prefersWinograd(compute) { return .winograd }
        return batch >= 32 && pixels <= 64 && window.kernel_height <= 3 && !isPointwise ? .pixels : .rows
    }
}
