// What an evaluating convolution does to its results while it writes them.

import CKernels
import Tensors

/// v becomes v + bias, then + residual, then no less than 0 where `rectifies`.
struct ConvolutionFinish {
    /// The offset, [O].
    let bias: UnsafePointer<Float>
    /// Of the output's shape, and perhaps the output itself.
    var residual: Tensor?
    var rectifies = false

    /// The description that the loops in C take.
    var description: ck_finish {
        ck_finish(bias: bias, residual: residual.map { UnsafePointer($0.data) }, rectifies: rectifies)
    }
}
