// Convolution by Winograd's minimal filtering F(4x4, 3x3): a quarter of the multiplications of the definition.
//
// For weights that fit the cache a thread takes a block of tiles through all three phases (input transform, 36 products,
// output transform), so that transformed data never leaves its L2. Deep layers have larger weights and fewer tiles: there
// all threads work on one phase of a larger block, so that the weights are read once.

import CKernels
import Tensors

/// A convolution's input: x itself, or max(0, x normalised), made on the way.
struct ConvolutionInput {
    let x: Tensor
    var normalization: Normalization?
}

/// What becomes of a convolution's result v on its way to memory.
enum ConvolutionEnding {
    case store
    /// Added to what is there.
    case add
    /// Stored, and v − origin and its square are summed a channel and group.
    case sum(origin: UnsafePointer<Float>, groups: Int)
    /// Set to 0 where max(0, x normalised) is 0, and v and v · (x − mean) are summed a channel and group.
    case maskAndSum(x: Tensor, normalization: Normalization)

    var groups: Int {
        switch self {
        case .store, .add: 0
        case .sum(_, let groups): groups
        case .maskAndSum(_, let normalization): normalization.groups
        }
    }
}

extension ConvolutionProblem {
    private static let positions = Int(CK_POSITIONS)

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

    /// Tiles that a thread transforms at a time where all threads share a phase.
    private static let chunk = 6

    /// y = the convolution of `input`; where `ending` sums, the sums [groups, 2, O], valid until the next ones.
    @discardableResult
    func forwardByWinograd(
        _ y: Tensor, _ input: ConvolutionInput, _ weight: Tensor, ending: ConvolutionEnding = .store, _ compute: Compute
    ) -> UnsafePointer<Double>? {
        convolve(y, input, weight, depth: inputs, width: outputs, transposes: false, ending, compute)
    }

    /// The gradient by the input is a convolution too: of dy, with the weight turned round and transposed.
    @discardableResult
    func backwardDataByWinograd(
        _ dx: Tensor, _ dy: Tensor, _ weight: Tensor, ending: ConvolutionEnding, _ compute: Compute
    ) -> UnsafePointer<Double>? {
        convolve(dx, ConvolutionInput(x: dy), weight, depth: outputs, width: inputs, transposes: true, ending, compute)
    }

    private func convolve(
        _ y: Tensor, _ input: ConvolutionInput, _ weight: Tensor, depth: Int, width: Int, transposes: Bool,
        _ ending: ConvolutionEnding, _ compute: Compute
    ) -> UnsafePointer<Double>? {
        let kernels = compute.winograd
        let panels = width / kernels.panel
        let transformed = compute.reserveShared(.weights, Self.positions * depth * width)
        compute.pool.run(panels) { panel, _ in
            kernels.weights(transformed, weight.data, inputs, outputs, transposes, panel, panel + 1)
        }
        // Weights of 36 · 128 · 128 floats, 2.4 MB, are read from the last cache block by block without harm.
        let isBlockwise = depth * width <= 128 * 128
        let size = isBlockwise ? min(tiles, max(12, 4_608 / (depth + width) / 12 * 12)) : min(tiles, 192)
        let blocks = (tiles + size - 1) / size
        let (groups, sumSize) = (ending.groups, ending.groups * 2 * width)
        let tasks = isBlockwise ? blocks : blocks * ((size + Self.chunk - 1) / Self.chunk)
        let partial = compute.reserveShared(.partialSums, tasks * sumSize)
        partial.update(repeating: 0, count: tasks * sumSize)
        /// Output rows `at` ..< `at + count` of the block of `rows` tiles that begins at `start`.
        func finish(_ product: UnsafePointer<Float>, start: Int, at: Int, count: Int, rows: Int, task: Int) {
            var tiling = tiling
            withEpilogue(ending, sums: partial + task * sumSize, pictures: batch / max(1, groups)) { epilogue in
                kernels.output(
                    y.data, product + at * kernels.panel, &tiling, width, start + at, count, rows, &epilogue)
            }
        }

        let scratch = compute.reserveScratch(Self.positions * size * (depth + width))
        if isBlockwise {
            compute.pool.run(blocks) { block, thread in
                let (start, rows) = (block * size, min(size, tiles - block * size))
                let (values, product) = (scratch[thread], scratch[thread] + Self.positions * size * depth)
                transform(input, values, start: start, at: 0, count: rows, rows: rows, depth, compute)
                for position in 0..<Self.positions {
                    kernels.product(
                        product + position * rows * width, values + position * rows * depth,
                        transformed + position * depth * width, rows, depth, 0, panels)
                }
                finish(product, start: start, at: 0, count: rows, rows: rows, task: block)
            }
        } else {
            let (values, product) = (scratch[0], scratch[0] + Self.positions * size * depth)
            for block in 0..<blocks {
                let (start, rows) = (block * size, min(size, tiles - block * size))
                forEachChunk(of: rows, compute) { at, count in
                    transform(input, values, start: start, at: at, count: count, rows: rows, depth, compute)
                }
                compute.pool.run(Self.positions) { position, _ in
                    kernels.product(
                        product + position * rows * width, values + position * rows * depth,
                        transformed + position * depth * width, rows, depth, 0, panels)
                }
                forEachChunk(of: rows, compute) { at, count in
                    let task = block * ((size + Self.chunk - 1) / Self.chunk) + at / Self.chunk
                    finish(product, start: start, at: at, count: count, rows: rows, task: task)
                }
            }
        }
        return groups > 0 ? compute.total(partial, tasks: tasks, size: sumSize) : nil
    }

    /// dWeight = Gᵀ [Σ over tiles of (Bᵀ x B) ⊙ (A dy Aᵀ)] G, the adjoint of the forward pass.
    func backwardWeightByWinograd(_ dWeight: Tensor, _ input: ConvolutionInput, _ dy: Tensor, _ compute: Compute) {
        let kernels = compute.winograd
        let panels = outputs / kernels.panel
        let sums = compute.reserveShared(.weights, Self.positions * inputs * outputs)
        let size = min(tiles, 192)
        let values = compute.reserveScratch(Self.positions * size * (inputs + outputs))[0]
        let slopes = values + Self.positions * size * inputs
        for start in stride(from: 0, to: tiles, by: size) {
            let rows = min(size, tiles - start)
            forEachChunk(of: rows, compute) { at, count in
                transform(input, values, start: start, at: at, count: count, rows: rows, inputs, compute)
                var tiling = tiling
                kernels.gradient(slopes + at * kernels.panel, dy.data, &tiling, outputs, start + at, count, rows)
            }
            compute.pool.run(Self.positions) { position, _ in
                kernels.product_transposed(
                    sums + position * inputs * outputs, values + position * rows * inputs,
                    slopes + position * rows * outputs, rows, inputs, 0, panels, start > 0)
            }
        }
        compute.pool.run(panels) { panel, _ in
            kernels.weight_gradient(dWeight.data, sums, inputs, outputs, panel, panel + 1)
        }
    }

    private func forEachChunk(of rows: Int, _ compute: Compute, _ body: (_ at: Int, _ count: Int) -> Void) {
        compute.pool.run((rows + Self.chunk - 1) / Self.chunk) { task, _ in
            body(task * Self.chunk, min(Self.chunk, rows - task * Self.chunk))
        }
    }

    /// Rows `at` ..< `at + count` of the transformed tiles of the block of `rows` tiles that begins at `start`.
    private func transform(
        _ input: ConvolutionInput, _ to: UnsafeMutablePointer<Float>, start: Int, at: Int, count: Int, rows: Int,
        _ depth: Int, _ compute: Compute
    ) {
        var tiling = tiling
        let rowsOfPanel = to + at * compute.winograd.panel
        guard let normalization = input.normalization else {
            compute.winograd.input(rowsOfPanel, input.x.data, &tiling, depth, start + at, count, rows, nil)
            return
        }
        var affine = ck_affine(normalization, pictures: batch / normalization.groups)
        compute.winograd.input(rowsOfPanel, input.x.data, &tiling, depth, start + at, count, rows, &affine)
    }

    private func withEpilogue(
        _ ending: ConvolutionEnding, sums: UnsafeMutablePointer<Float>, pictures: Int,
        _ body: (inout ck_epilogue) -> Void
    ) {
        var epilogue = ck_epilogue()
        epilogue.sums = sums
        epilogue.pictures = pictures
        switch ending {
        case .store: body(&epilogue)
        case .add:
            epilogue.adds = true
            body(&epilogue)
        case .sum(let origin, _):
            epilogue.origin = origin
            body(&epilogue)
        case .maskAndSum(let x, let normalization):
            epilogue.x = UnsafePointer(x.data)
            epilogue.mean = UnsafePointer(normalization.mean(0))
            withUnsafePointer(to: ck_affine(normalization, pictures: pictures)) { affine in
                epilogue.affine = affine
                body(&epilogue)
            }
        }
    }
}

extension ck_affine {
    /// A normalisation's scales and shifts, each for `pictures` pictures.
    fileprivate init(_ normalization: Normalization, pictures: Int) {
        self.init(
            scale: normalization.scale(0), shift: normalization.shift(0), pictures: pictures,
            stride: normalization.stride)
    }
}
