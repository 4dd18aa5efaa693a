// A ResNet in evaluation mode: batch norm folded into prepared weights, every value written once, nothing kept.
//
// The first stage has large pictures and small weights: a few images at a time go through it, so that what one layer writes
// is still in the cache when the next one reads it. The later stages have large weights, which are read once for all images.

import Tensors

/// Memory for evaluating batches of up to a given size, and the weights prepared for it.
public final class ResNetEvaluation {
    /// The pictures that a pass is over at most.
    public let batch: Int
    /// Height and width of the pictures.
    public let side: Int
    private let network: ResNet
    private let stem: PreparedConvolution
    private let stage1: [PreparedBlock]
    private let laterBlocks: [PreparedBlock]
    /// Images that go through stem and first stage together.
    private let slice: Int
    private let stemOutput: UnsafeMutablePointer<Float>
    /// Where blocks read and write: a slice's, or after the first stage the batch's.
    private let outer: UnsafeMutablePointer<Float>
    /// Where the first stage's slices come together, and the later blocks read and write.
    private let gathered: UnsafeMutablePointer<Float>
    private let inner: [UnsafeMutablePointer<Float>]
    private let arena: Arena

    /// Values of a slice's stem output: 13 MB, a part of the last cache.
    private static let sliceSize = 3 << 20

    /// Plans and allocates for `batch` pictures of `side` x `side` pixels; weights take memory when they are prepared.
    public init(_ network: ResNet, batch: Int, side: Int) {
        self.network = network
        self.batch = batch
        self.side = side
        stem = PreparedConvolution(network.stem)
        let blocks = network.blocks.map(PreparedBlock.init)
        stage1 = Array(blocks.prefix(network.architecture.depths[0]))
        laterBlocks = Array(blocks.dropFirst(stage1.count))
        let (stemShape, pooledShape) = network.stemShapes([1, side, side, 3])
        slice = min(batch, max(1, Self.sliceSize / stemShape.reduce(1, *)))

        var x = [slice] + pooledShape.dropFirst()
        var outerSize = x.reduce(1, *), innerSize = 0
        func pass(_ blocks: [PreparedBlock]) {
            for block in blocks {
                innerSize = max(innerSize, block.innerSize(x))
                x = block.outputShape(x)
                outerSize = max(outerSize, x.reduce(1, *))
            }
        }
        pass(stage1)
        let stemSize = max(slice * stemShape.reduce(1, *), outerSize)
        x[0] = batch
        let gatheredSize = x.reduce(1, *)
        pass(laterBlocks)

        var plan = ArenaPlan()
        let places = [stemSize, outerSize, max(gatheredSize, outerSize), innerSize, innerSize].map { plan.reserve($0) }
        let arena = Arena(count: plan.count)
        let pointers = places.map { arena.base + $0 }
        (stemOutput, outer, gathered, inner) = (pointers[0], pointers[1], pointers[2], Array(pointers[3...]))
        self.arena = arena
    }

    private var convolutions: [PreparedConvolution] { [stem] + (stage1 + laterBlocks).flatMap(\.convolutions) }

    /// Bytes that the prepared weights take; they grow when a size of batch needs a form that none before needed.
    public var preparedBytes: Int { convolutions.reduce(0) { $0 + $1.bytes } }

    /// Takes `weights` in; to be called whenever they have changed.
    public func prepare(_ weights: ModelWeights, _ compute: Compute) {
        for convolution in convolutions { convolution.prepare(weights, compute) }
    }

    /// features [N, d] of x [N, S, S, 3], N at most `batch`; `weights` as they were prepared.
    public func forward(_ features: Tensor, _ x: Tensor, _ weights: ModelWeights, _ compute: Compute) {
        precondition(x.shape[0] <= batch && x.shape[1] == side && x.shape[2] == side)
        let images = x.shape[0], imageSize = side * side * 3
        var shape: [Int] = []
        for first in stride(from: 0, to: images, by: slice) {
            let count = min(slice, images - first)
            let part = Tensor(x.data + first * imageSize, [count, side, side, 3])
            shape = passStage1(part, first: first, weights, compute)
        }
        shape[0] = images
        var current = Tensor(gathered, shape), other = outer
        for block in laterBlocks {
            let y = Tensor(block.worksInPlace ? current.data : other, block.outputShape(current.shape))
            block.forward(y, current, inner: inner, weights, compute)
            if !block.worksInPlace { other = current.data }
            current = y
        }
        globalAveragePool(features, current, compute)
    }

    /// Takes a slice, of which the batch's image `first` is the first, to its place in `gathered`.
    ///
    /// - Returns: the shape of what is there.
    private func passStage1(_ x: Tensor, first: Int, _ weights: ModelWeights, _ compute: Compute) -> [Int] {
        let (stemShape, pooledShape) = network.stemShapes(x.shape)
        let stemTensor = Tensor(stemOutput, stemShape)
        stem.forward(stemTensor, x, relu: true, weights, compute)
        var current = Tensor(outer, pooledShape), other = stemOutput
        maxPool(current, stemTensor, ResNet.pooling, compute)
        for (index, block) in stage1.enumerated() {
            let shape = block.outputShape(current.shape)
            var place = block.worksInPlace ? current.data : other
            if index == stage1.count - 1 { place = gathered + first * (shape.reduce(1, *) / shape[0]) }
            block.forward(Tensor(place, shape), current, inner: inner, weights, compute)
            if !block.worksInPlace { other = current.data }
            current = Tensor(place, shape)
        }
        return current.shape
    }
}
