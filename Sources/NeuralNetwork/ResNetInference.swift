// A ResNet in evaluation mode: running statistics, nothing kept.

import Tensors

/// Memory for evaluating batches of up to a given size, and the normalisations of the weights that it was prepared for.
public final class ResNetEvaluation {
    /// The pictures that a pass is over at most.
    public let batch: Int
    /// Height and width of the pictures.
    public let side: Int
    private let network: ResNet
    private let stemOutput: UnsafeMutablePointer<Float>
    private let buffers: [UnsafeMutablePointer<Float>]
    private let stemNormalization: Normalization
    private let blockNormalizations: [(units: [Normalization], shortcut: Normalization?)]
    private let arena: Arena

    /// Plans and allocates for `batch` pictures of `side` x `side` pixels.
    public init(_ network: ResNet, batch: Int, side: Int) {
        self.network = network
        self.batch = batch
        self.side = side
        var plan = ArenaPlan()
        let (stem, pooled) = network.stemShapes([batch, side, side, 3])
        let stemPlace = plan.reserve(stem.reduce(1, *))
        var largest = pooled.reduce(1, *)
        var x = pooled
        for unit in network.blocks.flatMap(\.units) {
            x = unit.outputShape(x)
            largest = max(largest, x.reduce(1, *))
        }
        // A block reads its input while two units' outputs alternate beside it and the shortcut's waits.
        let places = (0..<4).map { _ in plan.reserve(largest) }
        func reserve(_ unit: ConvolutionUnit) -> (place: Int, channels: Int) {
            (plan.reserve(Normalization.size(channels: unit.outputs)), unit.outputs)
        }
        let stemNormalizationPlace = reserve(network.stem)
        let blockPlaces = network.blocks.map { (units: $0.units.map(reserve), shortcut: $0.shortcut.map(reserve)) }

        let arena = Arena(count: plan.count)
        func normalization(_ place: (place: Int, channels: Int)) -> Normalization {
            Normalization(arena.base + place.place, channels: place.channels)
        }
        stemOutput = arena.base + stemPlace
        buffers = places.map { arena.base + $0 }
        stemNormalization = normalization(stemNormalizationPlace)
        blockNormalizations = blockPlaces.map { ($0.units.map(normalization), $0.shortcut.map(normalization)) }
        self.arena = arena
    }

    /// Takes the running statistics of `weights` in; to be called whenever they have changed.
    public func prepare(_ weights: ModelWeights) {
        batchNormEvaluation(stemNormalization, network.stem.norm, weights)
        for (block, normalizations) in zip(network.blocks, blockNormalizations) {
            for (unit, normalization) in zip(block.units, normalizations.units) {
                batchNormEvaluation(normalization, unit.norm, weights)
            }
            if let shortcut = block.shortcut, let normalization = normalizations.shortcut {
                batchNormEvaluation(normalization, shortcut.norm, weights)
            }
        }
    }

    /// features [N, d] of x [N, S, S, 3], N at most `batch`.
    public func forward(
        _ features: Tensor, _ x: Tensor, _ weights: ModelWeights,
        _ compute: Compute
    ) {
        precondition(x.shape[0] <= batch && x.shape[1] == side && x.shape[2] == side)
        func run(_ unit: ConvolutionUnit, _ x: Tensor, _ buffer: UnsafeMutablePointer<Float>) -> Tensor {
            let y = Tensor(buffer, unit.outputShape(x.shape))
            convolution(y, x, weight: unit.weight.tensor(in: weights.parameters), unit.window, compute)
            return y
        }
        var free = buffers
        let stem = run(network.stem, x, stemOutput)
        var input = Tensor(free.removeLast(), network.stemShapes(x.shape).pooled)
        // Evaluation needs no places of the largest values; the bytes go where the next block's output will be.
        let unused = UnsafeMutableRawPointer(free[0]).bindMemory(to: UInt8.self, capacity: input.count)
        maxPool(input, index: unused, stem, ResNet.pooling, normalization: stemNormalization, compute)
        for (block, normalizations) in zip(network.blocks, blockNormalizations) {
            var current = input
            for (number, unit) in block.units.enumerated() {
                let y = run(unit, current, free.removeLast())
                if number > 0 { free.append(current.data) }
                if number < block.units.count - 1 {
                    normalize(y, y, normalizations.units[number], relu: true, compute)
                }
                current = y
            }
            let last = normalizations.units.last!
            if let shortcut = block.shortcut, let normalization = normalizations.shortcut {
                let y = run(shortcut, input, free.removeLast())
                normalizeAddReLU(
                    current, current, last, shortcut: y, shortcutNormalization: normalization, compute)
                free.append(y.data)
            } else {
                normalizeAddReLU(current, current, last, shortcut: input, shortcutNormalization: nil, compute)
            }
            free.append(input.data)
            input = current
        }
        globalAveragePool(features, input, compute)
    }
}
