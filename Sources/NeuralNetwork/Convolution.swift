// Convolution over NHWC pictures: forward, and its two gradients beside it.
//
// There are two ways to make matrix products of it. By rows: a block of windows is gathered into rows and multiplied with
// the weight; good for large pictures. By pixels: for each output pixel, the pixel's row of all pictures of the batch is
// one strided matrix and nothing is gathered at all, and taps that fall into the padding, most of them in small pictures,
// are never computed; good for small pictures and large batches.

import CKernels
import Tensors

/// y [N, OH, OW, O] = x [N, H, W, I] convolved with weight [kH, kW, I, O] (a cross-correlation, as everywhere in the field).
public func convolution(_ y: Tensor, _ x: Tensor, weight: Tensor, _ window: Window, _ compute: Compute) {
    let problem = ConvolutionProblem(x: x.shape, y: y.shape, weight: weight.shape, window)
    if problem.prefersWinograd(compute) {
        problem.forwardByWinograd(y, x, weight, compute)
    } else if problem.prefersPixels {
        problem.forwardByPixels(y, x, weight, compute)
    } else {
        problem.forwardByRows(y, x, weight, compute)
    }
}

/// dx [N, H, W, I] = or, where `adds`, += the gradient of a convolution by its input, for dy [N, OH, OW, O].
public func convolutionBackwardData(
    _ dx: Tensor, _ dy: Tensor, weight: Tensor, _ window: Window, adds: Bool = false, _ compute: Compute
) {
    let problem = ConvolutionProblem(x: dx.shape, y: dy.shape, weight: weight.shape, window)
    if problem.prefersWinograd(compute) {
        problem.backwardDataByWinograd(dx, dy, weight, adds: adds, compute)
    } else if problem.prefersPixels {
        problem.backwardDataByPixels(dx, dy, weight, adds: adds, compute)
    } else {
        problem.backwardDataByRows(dx, dy, weight, adds: adds, compute)
    }
}

/// dWeight [kH, kW, I, O] += the gradient of a convolution by its weight, for x [N, H, W, I] and dy [N, OH, OW, O].
public func convolutionBackwardWeight(
    _ dWeight: Tensor, _ x: Tensor, _ dy: Tensor, _ window: Window, _ compute: Compute
) {
    let problem = ConvolutionProblem(x: x.shape, y: dy.shape, weight: dWeight.shape, window)
    if problem.prefersWinograd(compute) {
        problem.backwardWeightByWinograd(dWeight, x, dy, compute)
    } else if problem.prefersPixels {
        problem.backwardWeightByPixels(dWeight, x, dy, compute)
    } else {
        problem.backwardWeightByRows(dWeight, x, dy, compute)
    }
}

extension ConvolutionProblem {
    /// Whether pictures are small and the batch is large.
    var prefersPixels: Bool { batch >= 32 && pixels <= 64 && window.kernel_height <= 3 && !isPointwise }
}
