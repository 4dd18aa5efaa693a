// The gradient by the weight of a convolution by Winograd's way, the adjoint of the forward pass:
// dWeight = Gᵀ [Σ over tiles of (Bᵀ x B) ⊙ (A dy Aᵀ)] G.

import CKernels
import Tensors

extension ConvolutionProblem {
    /// dWeight [3, 3, I, O] = the gradient by the weight, for `input` and dy [N, H, W, O].
    func backwardWeightByWinograd(_ dWeight: Tensor, _ input: ConvolutionInput, _ dy: Tensor, _ compute: Compute) {
        let kernels = compute.winograd, panel = kernels.panel, panels = outputs / panel
        let tiling = WinogradTiling(self)
        let size = min(tiling.count, 256)
        // A part of the sums is taken back to a weight before the next is begun, where there is but one block of tiles.
        let part = tiling.count > size ? panels : min(panels, max(1, 65_536 / (inputs * panel)))
        let sums = compute.reserveShared(.weights, tiling.size(rows: inputs, channels: part * panel))
        let values = compute.reserveScratch(
            tiling.size(rows: size, channels: inputs) + tiling.size(rows: size, channels: outputs))[0]
        let slopes = values + tiling.size(rows: size, channels: inputs)
        let chunks = tiling.chunks(of: size, compute)
        for first in stride(from: 0, to: tiling.count, by: size) {
            let rows = min(size, tiling.count - first)
            let distances = [inputs, outputs].map { WinogradLayout.distance(rows: rows, channels: $0) }
            chunks.forEach(of: rows, compute) { _, at, count in
                let tiles = WinogradTiling.tiles(first + at, count, of: rows, inputs)
                tiling.transform(values + at * panel, input, channels: inputs, tiles, compute)
                var (tiling, slopeTiles) = (tiling.tiling, WinogradTiling.tiles(first + at, count, of: rows, outputs))
                kernels.gradient(slopes + at * panel, dy.data, &tiling, outputs, &slopeTiles)
            }
            for start in stride(from: 0, to: panels, by: part) {
                let count = min(part, panels - start)
                let distance = WinogradLayout.distance(rows: inputs, channels: count * panel)
                compute.pool.run(tiling.positions) { position, _ in
                    let own = tiling.rows(of: position, in: first..<first + rows), offset = own.lowerBound * panel
                    kernels.product_transposed(
                        sums + position * distance, values + position * distances[0] + offset,
                        slopes + position * distances[1] + start * rows * panel + offset, own.count, rows, inputs,
                        count, first > 0)
                }
                guard first + rows == tiling.count else { continue }
                compute.pool.run(count) { index, _ in
                    kernels.weight_gradient(
                        dWeight.data, sums + index * inputs * panel, inputs, outputs, tiling.positions, distance,
                        start + index, start + index + 1)
                }
            }
        }
    }
}
