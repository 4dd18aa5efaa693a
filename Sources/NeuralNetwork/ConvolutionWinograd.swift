// Convolution by Winograd's minimal filtering F(4x4, 3x3): a quarter of the multiplications of the definition.
//
// For weights that fit the cache a thread takes a block of tiles through all three phases (input transform, 36 products,
// output transform), so that transformed data never leaves its L2. Deep layers have larger weights and fewer tiles: there
// all threads work on one phase of a larger block, so that the weights are read once.

import CKernels
import Tensors

extension ConvolutionProblem {
    /// Whether the window is the one that Winograd's transforms are for, and pictures are large enough to gain by it.
    func prefersWinograd(_ compute: Compute) -> Bool {
        window.kernel_height == 3 && window.stride == 1 && window.padding == 1 && window.height > 3 && window.width > 3
            && inputs % compute.winograd.panel == 0 && outputs % compute.winograd.panel == 0
    }

    private var tiling: ck_tiling {
        ck_tiling(
            batch: batch, height: window.height, width: window.width, tile_rows: (window.height + 3) / 4,
            tile_columns: (window.width + 3) / 4)
    }

    private var tiles: Int { batch * ((window.height + 3) / 4) * ((window.width + 3) / 4) }
    private static let positions = Int(CK_POSITIONS)

    func forwardByWinograd(_ y: Tensor, _ x: Tensor, _ weight: Tensor, _ compute: Compute) {
        convolve(y, x, weight, from: inputs, to: outputs, transposes: false, adds: false, compute)
    }

    /// The gradient by the input is a convolution too: of dy, with the weight turned round and transposed.
    func backwardDataByWinograd(_ dx: Tensor, _ dy: Tensor, _ weight: Tensor, adds: Bool, _ compute: Compute) {
        convolve(dx, dy, weight, from: outputs, to: inputs, transposes: true, adds: adds, compute)
    }

    private func convolve(
        _ y: Tensor, _ x: Tensor, _ weight: Tensor, from depth: Int, to width: Int, transposes: Bool, adds: Bool,
        _ compute: Compute
    ) {
        let kernels = compute.winograd
        let panels = width / kernels.panel
        let transformed = compute.reserveShared(Self.positions * depth * width)
        compute.pool.run(panels) { panel, _ in
            kernels.weights(transformed, weight.data, inputs, outputs, transposes, panel, panel + 1)
        }
        if depth * width <= 128 * 128 {
            let size = max(12, min(tiles, tune(0, 61_440 / (depth + width)) / 12 * 12))
            let scratch = compute.reserveScratch(Self.positions * size * (depth + width))
            compute.pool.run((tiles + size - 1) / size) { task, thread in
                let first = task * size
                let count = min(size, tiles - first)
                let input = scratch[thread], product = input + Self.positions * size * depth
                var tiling = tiling
                var epilogue = ck_epilogue(adds: adds, origin: nil, sum: nil, squares: nil)
                kernels.input(input, x.data, &tiling, depth, first, count, count, nil, nil)
                for position in 0..<Self.positions {
                    kernels.product(
                        product + position * count * width, input + position * count * depth,
                        transformed + position * depth * width, count, depth, 0, panels)
                }
                kernels.output(y.data, product, &tiling, width, first, count, count, &epilogue)
            }
            return
        }
        let size = min(tiles, tune(1, 192))
        let input = compute.reserveScratch(Self.positions * size * (depth + width))[0]
        let product = input + Self.positions * size * depth
        for start in stride(from: 0, to: tiles, by: size) {
            let rows = min(size, tiles - start)
            let chunk = 6
            compute.pool.run((rows + chunk - 1) / chunk) { task, _ in
                var tiling = tiling
                let at = task * chunk
                kernels.input(
                    input + at * kernels.panel, x.data, &tiling, depth, start + at, min(chunk, rows - at), rows, nil, nil)
            }
            compute.pool.run(Self.positions) { position, _ in
                kernels.product(
                    product + position * rows * width, input + position * rows * depth,
                    transformed + position * depth * width, rows, depth, 0, panels)
            }
            compute.pool.run((rows + chunk - 1) / chunk) { task, _ in
                var tiling = tiling
                var epilogue = ck_epilogue(adds: adds, origin: nil, sum: nil, squares: nil)
                let at = task * chunk
                kernels.output(
                    y.data, product + at * kernels.panel, &tiling, width, start + at, min(chunk, rows - at), rows, &epilogue)
            }
        }
    }

    func backwardWeightByWinograd(_ dWeight: Tensor, _ x: Tensor, _ dy: Tensor, _ compute: Compute) {
        let kernels = compute.winograd
        let panels = outputs / kernels.panel
        let sums = compute.reserveShared(Self.positions * inputs * outputs)
        let size = min(tiles, tune(2, max(48, 32_768 / (inputs + outputs))))
        let input = compute.reserveScratch(Self.positions * size * (inputs + outputs))[0]
        let gradient = input + Self.positions * size * inputs
        for start in stride(from: 0, to: tiles, by: size) {
            let rows = min(size, tiles - start)
            let chunk = 6
            compute.pool.run((rows + chunk - 1) / chunk) { task, _ in
                var tiling = tiling
                let at = task * chunk
                let count = min(chunk, rows - at)
                kernels.input(input + at * kernels.panel, x.data, &tiling, inputs, start + at, count, rows, nil, nil)
                kernels.gradient(gradient + at * kernels.panel, dy.data, &tiling, outputs, start + at, count, rows)
            }
            compute.pool.run(Self.positions) { position, _ in
                kernels.product_transposed(
                    sums + position * inputs * outputs, input + position * rows * inputs,
                    gradient + position * rows * outputs, rows, inputs, 0, panels, start > 0)
            }
        }
        compute.pool.run(panels) { panel, _ in
            kernels.weight_gradient(dWeight.data, sums, inputs, outputs, panel, panel + 1)
        }
    }
}
import Glibc
func tune(_ i: Int, _ d: Int) -> Int { getenv("TUNE\(i)").map { Int(String(cString: $0))! } ?? d }
