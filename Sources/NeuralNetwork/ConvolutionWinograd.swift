// Convolution by Winograd's minimal filtering F(4x4, 3x3), a quarter of the multiplications of the definition, with tiles of
// 3 pixels where pictures are no multiples of 4.
//
// For weights that fit the cache a thread takes a block of tiles through all three phases (input transform, products,
// output transform), so that transformed data never leaves its L2. Deep layers have larger weights and fewer tiles: there
// all threads work on one phase of a larger block, so that the weights are read once.

import CKernels
import Tensors

extension ConvolutionProblem {
    /// Whether the window is the one that Winograd's transforms are for.
    func allowsWinograd(_ compute: Compute) -> Bool {
        window.kernel_height == 3 && window.stride == 1 && window.padding == 1
            && inputs % compute.winograd.panel == 0 && outputs % compute.winograd.panel == 0
    }

    /// Whether that takes less time in training, too.
    func prefersWinograd(_ compute: Compute) -> Bool {
        guard allowsWinograd(compute) else { return false }
        return WinogradTiling(self).multiplications < batch * tapsInside
    }

    /// y = the convolution of `input`; where `ending` sums, the sums [groups, 2, O], valid until the next ones.
    @discardableResult
    func forwardByWinograd(
        _ y: Tensor, _ input: ConvolutionInput, _ weight: Tensor, ending: ConvolutionEnding = .store, _ compute: Compute
    ) -> UnsafePointer<Double>? {
        WinogradConvolution(self, .plain(weight, isTransposed: false), compute).run(y, input, ending)
    }

    /// The gradient by the input is a convolution too: of dy, with the weight turned round and transposed.
    @discardableResult
    func backwardDataByWinograd(
        _ dx: Tensor, _ dy: Tensor, _ weight: Tensor, ending: ConvolutionEnding, _ compute: Compute
    ) -> UnsafePointer<Double>? {
        WinogradConvolution(self, .plain(weight, isTransposed: true), compute).run(dx, ConvolutionInput(x: dy), ending)
    }

    /// y = the convolution of x with a weight that `transformWeight` has made, finished.
    func evaluateByWinograd(
        _ y: Tensor, _ x: Tensor, transformed: UnsafePointer<Float>, _ finish: ConvolutionFinish, _ compute: Compute
    ) {
        _ = WinogradConvolution(self, .transformed(transformed), compute)
            .run(y, ConvolutionInput(x: x), .finish(finish))
    }

    /// Values of a transformed weight.
    func transformedWeightSize(positions: Int) -> Int {
        WinogradLayout.size(positions: positions, rows: inputs, channels: outputs)
    }

    /// Takes a weight [3, 3, I, O] to the transformed space.
    func transformWeight(
        _ transformed: UnsafeMutablePointer<Float>, _ weight: Tensor, positions: Int, _ compute: Compute
    ) {
        let panels = 0..<outputs / compute.winograd.panel
        transformWeight(
            transformed, weight, positions: positions, isTransposed: false, panels: panels, compute)
    }

    fileprivate func transformWeight(
        _ transformed: UnsafeMutablePointer<Float>, _ weight: Tensor, positions: Int, isTransposed: Bool,
        panels: Range<Int>, _ compute: Compute
    ) {
        let kernels = compute.winograd
        let depth = isTransposed ? outputs : inputs
        let distance = WinogradLayout.distance(rows: depth, channels: panels.count * kernels.panel)
        compute.pool.run(panels.count) { index, _ in
            let panel = panels.lowerBound + index
            kernels.weights(
                transformed + index * depth * kernels.panel, weight.data, inputs, outputs, positions, distance,
                isTransposed, panel, panel + 1)
        }
    }
}

/// The weight of a convolution.
private enum WinogradWeight {
    /// [3, 3, I, O], to be transformed; perhaps taken turned round, with inputs and outputs exchanged.
    case plain(Tensor, isTransposed: Bool)
    /// What `transformWeight` has made of it.
    case transformed(UnsafePointer<Float>)
}

/// Panels of a transformed weight.
private struct WinogradPanels {
    let base: UnsafePointer<Float>
    let count: Int
    /// Floats from one position's values to the next one's.
    let distance: Int
}

/// One convolution: its pictures cut into tiles, its weight, and how the work is divided.
private struct WinogradConvolution {
    private let problem: ConvolutionProblem
    private let tiling: WinogradTiling
    private let weight: WinogradWeight
    /// Channels of what is transformed, and of the result.
    private let depth, width: Int
    private let compute: Compute
    private var kernels: ck_winograd_kernels { compute.winograd }
    private var panels: Int { width / kernels.panel }

    init(_ problem: ConvolutionProblem, _ weight: WinogradWeight, _ compute: Compute) {
        self.problem = problem
        self.weight = weight
        self.compute = compute
        tiling = WinogradTiling(problem)
        if case .plain(_, isTransposed: true) = weight {
            (depth, width) = (problem.outputs, problem.inputs)
        } else {
            (depth, width) = (problem.inputs, problem.outputs)
        }
    }

    func run(_ y: Tensor, _ input: ConvolutionInput, _ ending: ConvolutionEnding) -> UnsafePointer<Double>? {
        // Weights of 36 · 128 · 128 floats, 2.4 MB, are read from the last cache block by block without harm.
        depth * width <= 128 * 128 ? runByBlocks(y, input, ending) : runByPhases(y, input, ending)
    }

    private func runByBlocks(
        _ y: Tensor, _ input: ConvolutionInput, _ ending: ConvolutionEnding
    ) -> UnsafePointer<Double>? {
        let share = (tiling.count + compute.pool.threadCount - 1) / compute.pool.threadCount
        let size = min(share, max(12, 4_608 / (depth + width) / 12 * 12))
        let blocks = (tiling.count + size - 1) / size
        let transformed = transformedWeight(0..<panels)
        let sums = EndingSums(ending, channels: width, tasks: blocks, compute)
        let scratch = compute.reserveScratch(
            tiling.size(rows: size, channels: depth) + tiling.size(rows: size, channels: width))
        compute.pool.run(blocks) { block, thread in
            let (first, rows) = (block * size, min(size, tiling.count - block * size))
            let values = scratch[thread], product = values + tiling.size(rows: rows, channels: depth)
            tiling.transform(
                values, input, channels: depth, WinogradTiling.tiles(first, rows, of: rows, depth), compute)
            for position in 0..<tiling.positions {
                multiply(product, values, transformed, first..<first + rows, position: position)
            }
            finish(y, product, 0..<panels, WinogradTiling.tiles(first, rows, of: rows, width), ending, sums[block])
        }
        return sums.total(compute)
    }

    private func runByPhases(
        _ y: Tensor, _ input: ConvolutionInput, _ ending: ConvolutionEnding
    ) -> UnsafePointer<Double>? {
        let size = min(tiling.count, 128)
        let blocks = (tiling.count + size - 1) / size
        // The weight of the deepest layers, 38 MB, would go to memory and come back. Where each part of it is used but once
        // it is transformed a part at a time.
        let part = blocks > 1 ? panels : min(panels, max(1, 65_536 / (depth * kernels.panel)))
        let partWidth = part * kernels.panel
        let chunks = tiling.chunks(of: size, compute)
        let sums = EndingSums(ending, channels: width, tasks: blocks * chunks.count, compute)
        let values = compute.reserveScratch(
            tiling.size(rows: size, channels: depth) + tiling.size(rows: size, channels: partWidth))[0]
        let product = values + tiling.size(rows: size, channels: depth)
        var transformed: WinogradPanels?
        for block in 0..<blocks {
            let (first, rows) = (block * size, min(size, tiling.count - block * size))
            chunks.forEach(of: rows, compute) { _, at, count in
                let tiles = WinogradTiling.tiles(first + at, count, of: rows, depth)
                tiling.transform(values + at * kernels.panel, input, channels: depth, tiles, compute)
            }
            for start in stride(from: 0, to: panels, by: part) {
                let range = start..<min(start + part, panels)
                let weight = block == 0 ? transformedWeight(range) : transformed!
                transformed = weight
                compute.pool.run(tiling.positions) { position, _ in
                    multiply(product, values, weight, first..<first + rows, position: position)
                }
                chunks.forEach(of: rows, compute) { chunk, at, count in
                    let tiles = WinogradTiling.tiles(first + at, count, of: rows, range.count * kernels.panel)
                    let task = block * chunks.count + chunk
                    finish(y, product + at * kernels.panel, range, tiles, ending, sums[task])
                }
            }
        }
        return sums.total(compute)
    }

    private func transformedWeight(_ panels: Range<Int>) -> WinogradPanels {
        switch weight {
        case .transformed(let base):
            return WinogradPanels(
                base: base + panels.lowerBound * depth * kernels.panel, count: panels.count,
                distance: WinogradLayout.distance(rows: depth, channels: width))
        case .plain(let weight, let isTransposed):
            let channels = panels.count * kernels.panel
            let base = compute.reserveShared(.weights, tiling.size(rows: depth, channels: channels))
            problem.transformWeight(
                base, weight, positions: tiling.positions, isTransposed: isTransposed, panels: panels, compute)
            return WinogradPanels(
                base: base, count: panels.count, distance: WinogradLayout.distance(rows: depth, channels: channels))
        }
    }

    /// product [positions, panels, rows] = values [positions, depth / panel, rows] times the weight's panels, one position of
    /// it: the rows of those tiles of the block that have the position.
    private func multiply(
        _ product: UnsafeMutablePointer<Float>, _ values: UnsafePointer<Float>, _ weight: WinogradPanels,
        _ block: Range<Int>, position: Int
    ) {
        let rows = tiling.rows(of: position, in: block)
        let width = weight.count * kernels.panel, first = rows.lowerBound * kernels.panel
        kernels.product(
            product + position * WinogradLayout.distance(rows: block.count, channels: width) + first,
            values + position * WinogradLayout.distance(rows: block.count, channels: depth) + first,
            weight.base + position * weight.distance, rows.count, block.count, depth, weight.count)
    }

    /// Output tiles from the products of a range of panels.
    private func finish(
        _ y: Tensor, _ product: UnsafePointer<Float>, _ panels: Range<Int>, _ tiles: ck_tiles,
        _ ending: ConvolutionEnding,
        _ sums: UnsafeMutablePointer<Float>
    ) {
        var (tiling, tiles) = (tiling.tiling, tiles)
        ending.withEpilogue(sums: sums, batch: problem.batch) { epilogue in
            kernels.output(
                y.data, product, &tiling, width, panels.lowerBound, panels.upperBound, &tiles, &epilogue)
        }
    }
}
