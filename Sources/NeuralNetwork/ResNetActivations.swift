// What a forward pass leaves for the backward pass, and what both use on the way; all planned ahead in two arenas.
//
// Kept are the convolutions' outputs, the blocks' outputs and the batch statistics. The normalised, rectified values
// between the units of a block are made again wherever they are read.

import Tensors

/// What a forward pass keeps for its backward pass, of all views together.
public final class ResNetActivations {
    /// One unit: where its convolution's output and its normalisation are kept.
    struct Unit {
        let output: Tensor
        let normalization: Normalization
    }

    /// One block: its units, its shortcut's and its output.
    struct Block {
        let units: [Unit]
        let shortcut: Unit?
        let output: Tensor
    }

    let stem: Unit
    let pooled: Tensor
    let pooledIndex: UnsafeMutablePointer<UInt8>
    let blocks: [Block]
    private let arena: Arena

    /// Plans and allocates for up to `batch` pictures of `side` x `side` pixels in each of `views` views, each of which has
    /// batch statistics of its own.
    public init(_ network: ResNet, batch: Int, views: Int = 1, side: Int) {
        let batch = views * batch
        var plan = ArenaPlan()
        typealias Place = (shape: [Int], output: Int, normalization: Int)
        func place(_ unit: ConvolutionUnit, _ x: [Int]) -> Place {
            let shape = unit.outputShape(x)
            return (
                shape, plan.reserve(shape.reduce(1, *)),
                plan.reserve(Normalization.size(channels: unit.outputs, groups: views))
            )
        }
        let (_, pooledShape) = network.stemShapes([batch, side, side, 3])
        let stemPlace = place(network.stem, [batch, side, side, 3])
        let pooledPlace = plan.reserve(pooledShape.reduce(1, *))
        let indexPlace = plan.reserve((pooledShape.reduce(1, *) + 3) / 4)
        var x = pooledShape
        let blockPlaces = network.blocks.map { block in
            let input = x
            let units = block.units.map { unit -> Place in
                let place = place(unit, x)
                x = place.shape
                return place
            }
            return (
                units: units, shortcut: block.shortcut.map { place($0, input) }, output: plan.reserve(x.reduce(1, *))
            )
        }

        let arena = Arena(count: plan.count)
        func unit(_ place: Place) -> Unit {
            Unit(
                output: Tensor(arena.base + place.output, place.shape),
                normalization: Normalization(
                    arena.base + place.normalization, channels: place.shape[3], groups: views))
        }
        stem = unit(stemPlace)
        pooled = Tensor(arena.base + pooledPlace, pooledShape)
        pooledIndex = UnsafeMutableRawPointer(arena.base + indexPlace)
            .bindMemory(to: UInt8.self, capacity: pooledShape.reduce(1, *))
        blocks = blockPlaces.map { places in
            Block(
                units: places.units.map(unit), shortcut: places.shortcut.map(unit),
                output: Tensor(arena.base + places.output, places.units.last!.shape))
        }
        self.arena = arena
    }
}

/// Scratch memory of training passes, shared by all views: nothing in it outlives a pass.
public final class ResNetScratch {
    /// Gradients by blocks' outputs and inputs; two, since a block with a shortcut convolution needs both at once.
    let blockGradients: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>)
    /// Gradients by units' outputs; two, since one is made from the other. The first also holds the stem's.
    let unitGradients: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>)
    private let arena: Arena

    /// Plans and allocates for `batch` pictures, all views' together, of `side` x `side` pixels.
    public init(_ network: ResNet, batch: Int, side: Int) {
        let (stem, pooled) = network.stemShapes([batch, side, side, 3])
        var largestUnit = 0
        var largestBlock = pooled.reduce(1, *)
        var x = pooled
        for block in network.blocks {
            for unit in block.units {
                x = unit.outputShape(x)
                largestUnit = max(largestUnit, x.reduce(1, *))
            }
            largestBlock = max(largestBlock, x.reduce(1, *))
        }
        var plan = ArenaPlan()
        let places = [
            largestBlock, largestBlock, max(largestUnit, stem.reduce(1, *)), largestUnit,
        ].map { plan.reserve($0) }
        arena = Arena(count: plan.count)
        blockGradients = (arena.base + places[0], arena.base + places[1])
        unitGradients = (arena.base + places[2], arena.base + places[3])
    }
}
