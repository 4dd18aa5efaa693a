// ReLU and softmax on their own, as the heads use them.

import CKernels
import Glibc
import Tensors

/// x = max(0, x), in place.
public func relu(_ x: Tensor) {
    for index in 0..<x.count where x.data[index] < 0 { x.data[index] = 0 }
}

/// d = 0 where the ReLU's output was not positive, in place.
public func reluBackward(_ d: Tensor, activation: Tensor, _ compute: Compute) {
    precondition(d.count == activation.count)
    compute.kernels.relu_backward(d.data, activation.data, d.count)
}

/// y [N, M] = exp(x) / Σ exp(x) over each row of x [N, M]; y may be x.
public func softmax(_ y: Tensor, _ x: Tensor) {
    let width = x.shape[1]
    for row in 0..<x.shape[0] {
        let (from, to) = (x.data + row * width, y.data + row * width)
        var largest = -Float.infinity
        for column in 0..<width { largest = max(largest, from[column]) }
        var sum: Float = 0
        for column in 0..<width {
            to[column] = exp(from[column] - largest)
            sum += to[column]
        }
        for column in 0..<width { to[column] /= sum }
    }
}

/// dx = y · (dy − Σ dy · y) over each row, y being the softmax's output [N, M]; dx may be dy.
public func softmaxBackward(_ dx: Tensor, _ dy: Tensor, _ y: Tensor) {
    let width = y.shape[1]
    for row in 0..<y.shape[0] {
        let (to, from, output) = (dx.data + row * width, dy.data + row * width, y.data + row * width)
        var dot: Float = 0
        for column in 0..<width { dot += from[column] * output[column] }
        for column in 0..<width { to[column] = output[column] * (from[column] - dot) }
    }
}
