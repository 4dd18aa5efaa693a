// A residual block for evaluation: the last convolution adds the shortcut while it writes.

import Tensors

/// A residual block with its weights prepared.
struct PreparedBlock {
    private let block: ResidualBlock
    private let units: [PreparedConvolution]
    private let shortcut: PreparedConvolution?

    init(_ block: ResidualBlock) {
        self.block = block
        units = block.units.map(PreparedConvolution.init)
        shortcut = block.shortcut.map(PreparedConvolution.init)
    }

    var convolutions: [PreparedConvolution] { units + (shortcut.map { [$0] } ?? []) }

    /// Whether the output may be written over the input: it has the same shape, and nothing reads the input afterwards.
    var worksInPlace: Bool { shortcut == nil }

    func outputShape(_ x: [Int]) -> [Int] { block.outputShape(x) }

    /// Values that the larger of the two inner buffers needs for x [N, H, W, C].
    func innerSize(_ x: [Int]) -> Int {
        var (shape, size) = (x, 0)
        for unit in block.units.dropLast() {
            shape = unit.outputShape(shape)
            size = max(size, shape.reduce(1, *))
        }
        return size
    }

    /// y = ReLU(units(x) + shortcut(x)).
    func forward(
        _ y: Tensor, _ x: Tensor, inner: [UnsafeMutablePointer<Float>], _ weights: ModelWeights, _ compute: Compute
    ) {
        precondition(worksInPlace || y.data != x.data)
        var current = x
        for (index, unit) in units.dropLast().enumerated() {
            let next = Tensor(inner[index % 2], unit.unit.outputShape(current.shape))
            unit.forward(next, current, relu: true, weights, compute)
            current = next
        }
        shortcut?.forward(y, x, relu: false, weights, compute)
        units.last!.forward(y, current, residual: shortcut == nil ? x : y, relu: true, weights, compute)
    }
}
