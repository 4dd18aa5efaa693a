// Max pooling and global average pooling over NHWC.
//
// In the network max pooling stands behind the stem's batch norm and ReLU, and all three go together, forward and backward:
// the stem's output is the largest tensor of all, so each pass over it counts.

import CKernels
import Tensors

/// y [N, OH, OW, C] = the largest value of each window of x [N, H, W, C]; index, where given, gets its place in the window,
/// for backward.
///
/// With a normalisation the windows are over max(0, x normalised): the ResNet stem's batch norm, ReLU and pooling in one
/// pass. Of equal values the first counts, as in PyTorch; where the largest is 0, the ReLU was off, and the index says so.
public func maxPool(
    _ y: Tensor, index: UnsafeMutablePointer<UInt8>?, _ x: Tensor, _ window: Window,
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
            y.data + picture * to, index.map { $0 + picture * to }, x.data + picture * from, &description,
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

/// dx [N, H, W, C] = the gradient of max pooling, the ReLU and the batch normalisation before it by what that normalised;
/// those of γ and β go to `gradients`. dx may be x.
///
/// The gradient by what was pooled is never written as a whole: it is made where it is needed, a few rows at a time in the
/// cache, once for the sums and once for the result.
///
/// - Parameters:
///   - dy: the gradient by what `maxPool` gave with `normalization`, [N, OH, OW, C]
///   - index: what it left there
public func maxPoolBackward(
    _ dx: Tensor, _ dy: Tensor, index: UnsafePointer<UInt8>, _ x: Tensor, _ window: Window,
    _ normalization: Normalization, _ layer: BatchNorm, _ weights: ModelWeights, _ gradients: Arena,
    _ compute: Compute
) {
    let (channels, groups) = (normalization.channels, normalization.groups)
    let description = window.over(height: x.shape[1], width: x.shape[2], channels: channels)
    let (pixels, outputSize) = (x.shape[1] * x.shape[2], dy.count / dy.shape[0])
    let rows = x.count / channels / groups
    // As many as the reduction sums before it goes on in double.
    let rowsABlock = max(1, 8_192 / channels)
    let scratch = compute.reserveScratch(rowsABlock * channels)
    let kernels = compute.kernels
    nonisolated(unsafe) let index = index

    /// Calls `body` with the gradient by what was pooled, block by block of the rows `first` ..< `first + count` of a group.
    func forEachBlock(
        _ group: Int, _ first: Int, _ count: Int, _ thread: Int,
        _ body: (_ d: UnsafeMutablePointer<Float>, _ start: Int, _ rows: Int) -> Void
    ) {
        var description = description
        for start in stride(from: first, to: first + count, by: rowsABlock) {
            let end = min(start + rowsABlock, first + count)
            var row = start
            while row < end {
                let (picture, inside) = (group * rows + row).quotientAndRemainder(dividingBy: pixels)
                let run = min(pixels - inside, end - row)
                kernels.max_pool_backward(
                    scratch[thread] + (row - start) * channels, dy.data + picture * outputSize,
                    index + picture * outputSize, &description, inside, run)
                row += run
            }
            body(scratch[thread], (group * rows + start) * channels, end - start)
        }
    }

    let sums = compute.sumChunks(rows: rows * groups, channels: channels, groups: groups) {
        group, first, count, thread, sum, product in
        forEachBlock(group, first, count, thread) { d, start, rows in
            kernels.mask_and_reduce(d, nil, x.data + start, rows, channels, normalization.mean(group), sum, product)
        }
    }
    let slopes = NormalizationSlopes(sums: sums, rows: rows, normalization, layer, weights, gradients, compute)
    for group in 0..<groups {
        compute.forEachChunk(rows: rows, channels: channels) { first, count, thread in
            forEachBlock(group, first, count, thread) { d, start, rows in
                kernels.normalize_backward(
                    dx.data + start, d, x.data + start, rows, channels, slopes.a(group), slopes.b(group),
                    normalization.mean(group), slopes.c(group))
            }
        }
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
