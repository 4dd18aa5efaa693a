// The memory of a ResNet's training pass, planned before it is allocated: the pass is gone through once with sizes alone.
//
// Kept from the forward to the backward pass are the convolutions' outputs. A block's output is needed again too, by the
// block behind it, but can be made again from those in a pass over it. So the forward pass writes a block's output over its
// input, and the backward pass makes those of a stage again when it comes to the stage's last block, in memory that is free by
// then: whatever lies behind has been gone through. Only the last stage's blocks, and what goes into them, are needed at
// once and stay.

import Tensors

extension ResNet {
    /// The first block whose input the forward pass keeps: the first of the last stage.
    var firstKept: Int { blocks.lastIndex { $0.shortcut != nil } ?? 0 }

    /// The blocks whose inputs the backward pass makes again when it comes to block `index`; nil if it has that input already.
    ///
    /// Inputs follow from each other up to a block with a shortcut convolution, whose output needs no input.
    func remade(at index: Int) -> ClosedRange<Int>? {
        guard index < firstKept, index == firstKept - 1 || blocks[index].shortcut != nil else { return nil }
        return (blocks[..<index].lastIndex { $0.shortcut != nil } ?? -1) + 1...index
    }
}

/// Where each tensor of a training pass lies, and how large it is.
struct ResNetMemoryPlan {
    /// A tensor: its number in the plan, and its shape.
    struct Place {
        let number: Int
        let shape: [Int]
    }

    /// A unit: its convolution's output, whose place the gradient by it takes, and its normalisation.
    struct Unit {
        let output: Place
        let normalization: Int
    }

    /// A block: its units, its shortcut's, and the gradient by one unit's normalised output at a time.
    struct Block {
        let units: [Unit]
        let shortcut: Unit?
        let gradient: Int
    }

    let stem: Unit
    let blocks: [Block]
    /// What is pooled from the stem, the input of block 0, and each block's output, the input of the next.
    let values: [Place]
    /// The inputs of blocks, by block, in the backward pass.
    let inputs: [Place]
    /// The gradients by `values`.
    let gradients: [Place]
    /// The places of the pooled values in their windows.
    let pooledIndex: Place
    private(set) var lifetimes = LifetimePlan()

    /// Plans for `batch` pictures, those of all `views` together, of `side` x `side` pixels.
    init(_ network: ResNet, batch: Int, views: Int, side: Int) {
        var plan = LifetimePlan()
        func place(_ shape: [Int]) -> Place { Place(number: plan.add(shape.reduce(1, *)), shape: shape) }
        func unit(_ unit: ConvolutionUnit, _ x: [Int]) -> Unit {
            Unit(
                output: place(unit.outputShape(x)),
                normalization: plan.add(Normalization.size(channels: unit.outputs, groups: views)))
        }
        let shapes = network.stemShapes([batch, side, side, 3])
        stem = unit(network.stem, [batch, side, side, 3])
        // Bytes, four to a float.
        pooledIndex = Place(number: plan.add((shapes.pooled.reduce(1, *) + 3) / 4), shape: shapes.pooled)
        var x = shapes.pooled
        var values = [place(x)]
        var gradient = 0
        blocks = network.blocks.enumerated().map { index, block in
            let input = x
            let units = block.units.map { layer in
                let planned = unit(layer, x)
                x = planned.output.shape
                return planned
            }
            let isInPlace = block.shortcut == nil && index < network.firstKept
            values.append(isInPlace ? values[index] : place(x))
            // One for a stage, since what was just used is in the cache; none of its blocks needs more than the first.
            if index == 0 || block.shortcut != nil {
                gradient = plan.add(units.dropLast().map { $0.output.shape.reduce(1, *) }.max() ?? 0)
            }
            return Block(units: units, shortcut: block.shortcut.map { unit($0, input) }, gradient: gradient)
        }
        self.values = values
        inputs = blocks.indices.map { $0 < network.firstKept ? place(values[$0].shape) : values[$0] }
        var gradients = values
        for index in values.indices.reversed() {
            let isInPlace = index < blocks.count && blocks[index].shortcut == nil
            gradients[index] = isInPlace ? gradients[index + 1] : place(values[index].shape)
        }
        self.gradients = gradients
        lifetimes = plan
        goForward()
        goBackward(network)
    }

    /// The operations of the forward pass.
    private mutating func goForward() {
        use([], [stem])
        use([values[0]], [stem])
        for (index, block) in blocks.enumerated() {
            use([values[index]], [block.units[0]])
            for (before, after) in zip(block.units, block.units.dropFirst()) { use([], [before, after]) }
            if let shortcut = block.shortcut { use([values[index]], [shortcut]) }
            useEnd(of: index, input: values[index], output: values[index + 1])
        }
        use([values.last!], [])
    }

    /// The operations of the backward pass.
    private mutating func goBackward(_ network: ResNet) {
        use([gradients.last!], [])
        for (index, block) in blocks.enumerated().reversed() {
            if let range = network.remade(at: index) {
                if range.lowerBound == 0 { use([inputs[0], pooledIndex], [stem]) }
                for number in range where number > 0 {
                    useEnd(of: number - 1, input: inputs[max(number - 1, range.lowerBound)], output: inputs[number])
                }
            }
            useEnd(of: index, input: inputs[index], output: gradients[index + 1])
            for (before, after) in zip(block.units, block.units.dropFirst()).reversed() {
                use([Place(number: block.gradient, shape: [])], [before, after])
            }
            use([gradients[index], inputs[index]], [block.units[0]])
            if let shortcut = block.shortcut { use([gradients[index], inputs[index]], [shortcut]) }
        }
        use([gradients[0], pooledIndex], [stem])
    }

    /// The sum of a block's last unit and its shortcut, forward or backward.
    private mutating func useEnd(of index: Int, input: Place, output: Place) {
        let block = blocks[index]
        use(
            block.shortcut == nil ? [input, output] : [output],
            [block.units.last!] + (block.shortcut.map { [$0] } ?? []))
    }

    private mutating func use(_ places: [Place], _ units: [Unit]) {
        lifetimes.use(places.map(\.number) + units.flatMap { [$0.output.number, $0.normalization] })
    }
}
