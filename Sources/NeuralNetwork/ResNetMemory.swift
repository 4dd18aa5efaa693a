// The memory of a ResNet's training pass: what the forward pass leaves for the backward pass, and what both use on the way.
// ResNetMemoryPlan says what lies where, and when.

import Tensors

/// The memory of training passes, of all views together: one arena in which tensors take each other's places.
public final class ResNetMemory {
    /// One unit: its convolution's output, whose place the gradient by it takes, and its normalisation.
    struct Unit {
        let output: Tensor
        let normalization: Normalization
    }

    /// One block: its units, its shortcut's, and the gradient by one unit's normalised output at a time.
    struct Block {
        let units: [Unit]
        let shortcut: Unit?
        let gradient: UnsafeMutablePointer<Float>
    }

    let stem: Unit
    let blocks: [Block]
    /// What is pooled from the stem, the input of block 0, and each block's output, the input of the next: in the forward
    /// pass, each only until its successor is there.
    let values: [Tensor]
    /// The inputs of blocks, by block, in the backward pass.
    let inputs: [Tensor]
    /// The gradients by `values`, likewise in one place where blocks have no shortcut convolution.
    let gradients: [Tensor]
    /// The places of the pooled values in their windows, in the backward pass.
    let pooledIndex: UnsafeMutablePointer<UInt8>
    private let arena: Arena

    /// Plans and allocates for up to `batch` pictures of `side` x `side` pixels in each of `views` views, each of which has
    /// batch statistics of its own.
    public init(_ network: ResNet, batch: Int, views: Int = 1, side: Int) {
        let plan = ResNetMemoryPlan(network, batch: views * batch, views: views, side: side)
        let placement = plan.lifetimes.placed()
        let arena = Arena(count: placement.count)
        func start(_ number: Int) -> UnsafeMutablePointer<Float> { arena.base + placement.offsets[number] }
        func tensor(_ place: ResNetMemoryPlan.Place) -> Tensor { Tensor(start(place.number), place.shape) }
        func unit(_ unit: ResNetMemoryPlan.Unit) -> Unit {
            Unit(
                output: tensor(unit.output),
                normalization: Normalization(
                    start(unit.normalization), channels: unit.output.shape[3], groups: views))
        }
        stem = unit(plan.stem)
        blocks = plan.blocks.map { block in
            Block(
                units: block.units.map(unit), shortcut: block.shortcut.map(unit), gradient: start(block.gradient))
        }
        values = plan.values.map(tensor)
        inputs = plan.inputs.map(tensor)
        gradients = plan.gradients.map(tensor)
        pooledIndex = UnsafeMutableRawPointer(start(plan.pooledIndex.number))
            .bindMemory(to: UInt8.self, capacity: plan.pooledIndex.shape.reduce(1, *))
        self.arena = arena
    }

    /// The bytes that the memory for `batch` pictures in each of `views` views takes once all of it has been used.
    public static func bytes(_ network: ResNet, batch: Int, views: Int = 1, side: Int) -> Int {
        let plan = ResNetMemoryPlan(network, batch: views * batch, views: views, side: side)
        return plan.lifetimes.placed().count * MemoryLayout<Float>.stride
    }
}
