// Convolution as products of gathered rows with the weight, a block of rows at a time.
//
// A row is what lies under one window, [kH · kW · I]. A block of them is gathered, multiplied and forgotten while it is in
// the cache, so the whole matrix of a layer never exists.

import CKernels
import Tensors

extension ConvolutionProblem {
    private var rows: Int { batch * pixels }

    /// Rows of a block: enough for the product to be efficient, few enough for the block to stay in the cache.
    private var rowsABlock: Int { min(rows, max(192, 131_072 / depth)) }

    func forwardByRows(_ y: Tensor, _ x: Tensor, _ weight: Tensor, _ compute: Compute) {
        let size = min(rowsABlock, max(16, (rows + compute.pool.threadCount - 1) / compute.pool.threadCount))
        let scratch = isPointwise ? [] : compute.reserveScratch(size * depth)
        compute.pool.run((rows + size - 1) / size) { task, thread in
            let first = task * size
            let count = min(size, rows - first)
            let block = block(x, first, count, into: isPointwise ? nil : scratch[thread], compute)
            matrixProduct(
                Matrix(y.data + first * outputs, stride: outputs), block, Matrix(weight.data, stride: outputs),
                m: count, n: outputs, k: depth)
        }
    }

    func backwardDataByRows(_ dx: Tensor, _ dy: Tensor, _ weight: Tensor, adds: Bool, _ compute: Compute) {
        let transposed = Matrix(weight.data, stride: outputs).transposed
        if isPointwise {
            let size = rowsABlock
            compute.pool.run((rows + size - 1) / size) { task, _ in
                let first = task * size
                matrixProduct(
                    Matrix(dx.data + first * inputs, stride: inputs),
                    Matrix(dy.data + first * outputs, stride: outputs),
                    transposed, m: min(size, rows - first), n: inputs, k: outputs, keep: adds ? 1 : 0)
            }
            return
        }
        // Windows overlap, so a picture is one thread's alone.
        let size = min(rowsABlock, pixels)
        let scratch = compute.reserveScratch(size * depth)
        compute.pool.run(batch) { picture, thread in
            let to = dx.data + picture * inputSize
            if !adds { to.update(repeating: 0, count: inputSize) }
            var window = window
            for first in stride(from: 0, to: pixels, by: size) {
                let count = min(size, pixels - first)
                matrixProduct(
                    Matrix(scratch[thread], stride: depth),
                    Matrix(dy.data + picture * outputSize + first * outputs, stride: outputs), transposed,
                    m: count, n: depth, k: outputs)
                compute.kernels.scatter_add(to, scratch[thread], &window, first, count)
            }
        }
    }

    /// Each thread's share of the rows has a sum of its own; they are added in a fixed order.
    func backwardWeightByRows(_ dWeight: Tensor, _ x: Tensor, _ dy: Tensor, _ compute: Compute) {
        let size = rowsABlock
        let blocks = (rows + size - 1) / size
        let shares = min(compute.pool.threadCount, blocks)
        let scratch = compute.reserveScratch(isPointwise ? 0 : size * depth)
        let sums = compute.reserveShared(.partialSums, (shares - 1) * depth * outputs)
        compute.pool.run(shares) { share, thread in
            let sum = share == 0 ? dWeight.data : sums + (share - 1) * depth * outputs
            var keep: Float = 0
            for index in blocks * share / shares..<blocks * (share + 1) / shares {
                let first = index * size
                let count = min(size, rows - first)
                let block = block(x, first, count, into: isPointwise ? nil : scratch[thread], compute)
                matrixProduct(
                    Matrix(sum, stride: outputs), block.transposed, Matrix(dy.data + first * outputs, stride: outputs),
                    m: depth, n: outputs, k: count, keep: keep)
                keep = 1
            }
        }
        guard shares > 1 else { return }
        compute.forEachChunk(rows: depth, channels: outputs) { first, count, _ in
            for share in 1..<shares {
                let from = sums + (share - 1) * depth * outputs + first * outputs
                compute.kernels.add(dWeight.data + first * outputs, from, count * outputs)
            }
        }
    }

    /// Rows `first` ..< `first + count` of all pictures' windows: gathered, or the input itself where it is just that.
    private func block(
        _ x: Tensor, _ first: Int, _ count: Int, into scratch: UnsafeMutablePointer<Float>?, _ compute: Compute
    ) -> Matrix {
        guard let scratch else { return Matrix(x.data + first * inputs, stride: inputs) }
        var window = window
        var row = first
        while row < first + count {
            let (picture, inside) = row.quotientAndRemainder(dividingBy: pixels)
            let run = min(pixels - inside, first + count - row)
            compute.kernels.gather(
                scratch + (row - first) * depth, x.data + picture * inputSize, &window, inside, run)
            row += run
        }
        return Matrix(scratch, stride: depth)
    }
}
