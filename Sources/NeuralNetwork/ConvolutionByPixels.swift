// A convolution's gradients as products of strided matrices: one output pixel of all pictures at a time.
//
// For an output pixel and one line of the window, the input values of a picture are contiguous: the taps beside each
// other times the channels. So over the batch they are a matrix whose rows lie a whole picture apart, to be multiplied with
// those taps' part of the weight, also contiguous.

import CKernels
import Tensors

extension ConvolutionProblem {
    /// A line of the window at an output pixel, its taps inside the picture.
    private struct Line {
        /// The first input value, from the start of a picture.
        let input: Int
        /// The first output value, from the start of a picture.
        let output: Int
        /// The first row of the weight as a matrix [kH · kW · I, O].
        let weightRow: Int
        /// Values beside each other: taps times channels.
        let depth: Int
    }

    private func lines(pixel: Int, row ky: Int? = nil) -> [Line] {
        let y0 = pixel / window.out_width * window.stride - window.padding
        let x0 = pixel % window.out_width * window.stride - window.padding
        let columns = taps(from: x0, size: window.width)
        return taps(from: y0, size: window.height).filter { ky == nil || $0 == ky }.map { ky in
            Line(
                input: ((y0 + ky) * window.width + x0 + columns.lowerBound) * inputs, output: pixel * outputs,
                weightRow: (ky * window.kernel_width + columns.lowerBound) * inputs, depth: columns.count * inputs)
        }
    }

    /// Pictures of a task.
    private func slice(_ compute: Compute) -> Int {
        min(128, (batch + compute.pool.threadCount - 1) / compute.pool.threadCount)
    }

    func backwardDataByPixels(_ dx: Tensor, _ dy: Tensor, _ weight: Tensor, adds: Bool, _ compute: Compute) {
        let size = slice(compute)
        let pixelLines = (0..<pixels).map { lines(pixel: $0) }
        compute.pool.run((batch + size - 1) / size) { task, _ in
            let first = task * size
            let count = min(size, batch - first)
            if !adds { (dx.data + first * inputSize).update(repeating: 0, count: count * inputSize) }
            for line in pixelLines.joined() {
                matrixProduct(
                    Matrix(dx.data + first * inputSize + line.input, stride: inputSize),
                    Matrix(dy.data + first * outputSize + line.output, stride: outputSize),
                    Matrix(weight.data + line.weightRow * outputs, stride: outputs).transposed,
                    m: count, n: line.depth, k: outputs, keep: 1)
            }
        }
    }

    /// A task is a line of the window and a part of the output channels: a part of the weight that no other task touches.
    func backwardWeightByPixels(_ dWeight: Tensor, _ x: Tensor, _ dy: Tensor, _ compute: Compute) {
        let parts = outputs >= 128 ? 4 : 2
        let size = (outputs + parts - 1) / parts
        let kernelLines = (0..<window.kernel_height).map { ky in (0..<pixels).flatMap { lines(pixel: $0, row: ky) } }
        compute.pool.run(kernelLines.count * parts) { task, _ in
            let first = task % parts * size
            guard first < outputs else { return }
            let lines = kernelLines[task / parts]
            // The first line overwrites its taps; the others are added to, and some may be in no line.
            let rows = window.kernel_width * inputs, start = task / parts * rows
            let overwritten = lines.first.map { $0.weightRow..<$0.weightRow + $0.depth } ?? start..<start
            for row in start..<start + rows where !overwritten.contains(row) {
                (dWeight.data + row * outputs + first).update(repeating: 0, count: min(size, outputs - first))
            }
            for (number, line) in lines.enumerated() {
                matrixProduct(
                    Matrix(dWeight.data + line.weightRow * outputs + first, stride: outputs),
                    Matrix(x.data + line.input, stride: inputSize).transposed,
                    Matrix(dy.data + line.output + first, stride: outputSize),
                    m: line.depth, n: min(size, outputs - first), k: batch, keep: number == 0 ? 0 : 1)
            }
        }
    }
}
