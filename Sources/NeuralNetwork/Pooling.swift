// Max pooling and global average pooling over NHWC.

import CKernels
import Tensors

/// y [N, OH, OW, C] = the largest value of each window of x [N, H, W, C]; index gets its place in the window, for backward.
///
/// With a normalisation the windows are over max(0, x normalised): the ResNet stem's batch norm, ReLU and pooling in one
/// pass. Of equal values the first counts, as in PyTorch.
public func maxPool(
    _ y: Tensor, index: UnsafeMutablePointer<UInt8>, _ x: Tensor, _ window: Window,
    normalization: Normalization? = nil, _ compute: Compute
) {
    let description = window.over(height: x.shape[1], width: x.shape[2], channels: x.shape[3])
    let (from, to) = (x.count / x.shape[0], y.count / y.shape[0])
    let kernels = compute.kernels
    nonisolated(unsafe) let index = index
    let pictures = x.shape[0] / (normalization?.groups ?? 1)
    compute.pool.run(x.shape[0]) { picture, _ in
        var description = description
        kernels.max_pool(
            y.data + picture * to, index + picture * to, x.data + picture * from, &description,
            normalization?.scale(picture / pictures), normalization?.shift(picture / pictures))
    }
}

/// y [N, OH, OW, C] = the largest value of each window of x [N, H, W, C], for evaluation.
func maxPool(_ y: Tensor, _ x: Tensor, _ window: Window, _ compute: Compute) {
    let description = window.over(height: x.shape[1], width: x.shape[2], channels: x.shape[3])
    let (from, to) = (x.count / x.shape[0], y.count / y.shape[0])
    let kernels = compute.direct
    // Bands of a picture, so that all threads share a single one.
    let (rows, size) = (y.shape[1], 8)
    let bands = (rows + size - 1) / size
    compute.pool.run(x.shape[0] * bands) { task, _ in
        var description = description
        let (picture, band) = task.quotientAndRemainder(dividingBy: bands)
        kernels.largest(
            y.data + picture * to, x.data + picture * from, &description, band * size, min(rows, (band + 1) * size))
    }
}

/// dx [N, H, W, C] = the gradient of a max pooling by what it pooled, for dy [N, OH, OW, C].
public func maxPoolBackward(
    _ dx: Tensor, _ dy: Tensor, index: UnsafePointer<UInt8>, _ window: Window, _ compute: Compute
) {
    let description = window.over(height: dx.shape[1], width: dx.shape[2], channels: dx.shape[3])
    let (to, from) = (dx.count / dx.shape[0], dy.count / dy.shape[0])
    let kernels = compute.kernels
    nonisolated(unsafe) let index = index
    compute.pool.run(dx.shape[0]) { picture, _ in
        var description = description
        kernels.max_pool_backward(
            dx.data + picture * to, dy.data + picture * from, index + picture * from, &description)
    }
}

/// y [N, C] = the mean over the pixels of x [N, H, W, C].
public func globalAveragePool(_ y: Tensor, _ x: Tensor, _ compute: Compute) {
    let (pixels, channels) = (x.shape[1] * x.shape[2], x.shape[3])
    let kernels = compute.kernels
    compute.pool.run(x.shape[0]) { picture, _ in
        kernels.mean_rows(y.data + picture * channels, x.data + picture * pixels * channels, pixels, channels)
    }
}

/// dx [N, H, W, C] = dy [N, C] / (H · W) at every pixel.
public func globalAveragePoolBackward(_ dx: Tensor, _ dy: Tensor, _ compute: Compute) {
    let (pixels, channels) = (dx.shape[1] * dx.shape[2], dx.shape[3])
    let factor = 1 / Float(pixels)
    compute.pool.run(dx.shape[0]) { picture, _ in
        let from = dy.data + picture * channels
        for pixel in 0..<pixels {
            let to = dx.data + (picture * pixels + pixel) * channels
            for channel in 0..<channels { to[channel] = from[channel] * factor }
        }
    }
}
