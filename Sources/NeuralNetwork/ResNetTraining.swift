// A ResNet's training passes: forward with batch statistics, and backward beside it.
//
// All views of a mini-batch go through together, one behind the other along the first axis, so that a weight is read, and
// transformed, once for all; each view has batch statistics of its own. Which tensor gives way to which is planned in
// ResNetMemoryPlan, which goes through the same operations in the same order.

import Tensors

extension ResNet {
    /// Training: features [N, d] of x [N, S, S, 3]; what the backward pass needs is left in `memory`, and the running
    /// statistics move, once for each view.
    public func forward(
        _ features: Tensor, _ x: Tensor, _ memory: ResNetMemory, _ weights: ModelWeights, _ compute: Compute
    ) {
        let batch = x.shape[0]
        let stemOutput = memory.stem.output.prefix(batch)
        let values = memory.values.map { $0.prefix(batch) }
        stem.forward(stemOutput, memory.stem.normalization, ConvolutionInput(x: x), weights, compute)
        maxPool(
            values[0], index: nil, stemOutput, Self.pooling, normalization: memory.stem.normalization, compute)
        for (index, block) in blocks.enumerated() {
            let kept = memory.blocks[index]
            var current = ConvolutionInput(x: values[index])
            for (unit, keptUnit) in zip(block.units, kept.units) {
                let output = keptUnit.output.prefix(batch)
                unit.forward(output, keptUnit.normalization, current, weights, compute)
                current = ConvolutionInput(x: output, normalization: keptUnit.normalization)
            }
            if let unit = block.shortcut, let keptUnit = kept.shortcut {
                unit.forward(
                    keptUnit.output.prefix(batch), keptUnit.normalization, ConvolutionInput(x: values[index]), weights,
                    compute)
            }
            kept.end(values[index + 1], input: values[index], compute)
        }
        globalAveragePool(features, values.last!, compute)
    }

    /// The gradients of all arrays, which go to `gradients`, for dFeatures [N, d], x and what the forward pass left in
    /// `memory`; that is used up.
    public func backward(
        _ gradients: Arena, _ dFeatures: Tensor, _ x: Tensor, _ memory: ResNetMemory, _ weights: ModelWeights,
        _ compute: Compute
    ) {
        let batch = x.shape[0]
        let inputs = memory.inputs.map { $0.prefix(batch) }
        let dValues = memory.gradients.map { $0.prefix(batch) }
        let stemOutput = memory.stem.output.prefix(batch)
        globalAveragePoolBackward(dValues.last!, dFeatures, compute)
        var sums: UnsafePointer<Double>?
        for index in blocks.indices.reversed() {
            if let range = remade(at: index) {
                if range.lowerBound == 0 {
                    maxPool(
                        inputs[0], index: memory.pooledIndex, stemOutput, Self.pooling,
                        normalization: memory.stem.normalization, compute)
                }
                for number in range where number > 0 {
                    memory.blocks[number - 1].end(inputs[number], input: inputs[number - 1], compute)
                }
            }
            sums = backward(
                blocks[index], memory.blocks[index], dOutput: dValues[index + 1], sums: sums, dInput: dValues[index],
                inputs[index], before: index > 0 ? memory.blocks[index - 1].units.last : nil, gradients, weights,
                compute)
        }
        maxPoolBackward(
            stemOutput, dValues[0], index: memory.pooledIndex, stemOutput, Self.pooling, memory.stem.normalization,
            stem.norm, weights, gradients, compute)
        convolutionBackwardWeight(stem.weight.tensor(in: gradients), x, stemOutput, stem.window, compute)
    }

    /// One block's gradients. dInput is dOutput where the shortcut is the identity.
    ///
    /// - Parameters:
    ///   - sums: those of the last normalisation, where dOutput has been gone back through the block's ReLU already.
    ///   - before: the last unit of the block before.
    /// - Returns: the same sums for the block before, where its ReLU has been gone back through.
    private func backward(
        _ block: ResidualBlock, _ kept: ResNetMemory.Block, dOutput: Tensor, sums: UnsafePointer<Double>?,
        dInput: Tensor, _ input: Tensor, before: ResNetMemory.Unit?, _ gradients: Arena, _ weights: ModelWeights,
        _ compute: Compute
    ) -> UnsafePointer<Double>? {
        let batch = input.shape[0]
        let outputs = kept.units.map { $0.output.prefix(batch) }
        let shortcut = kept.shortcut?.output.prefix(batch)
        let last = block.units.count - 1
        let (output, normalization, norm) = (
            outputs[last], kept.units[last].normalization, block.units[last].norm
        )
        if let sums {
            batchNormBackward(output, dOutput, sums: sums, output, normalization, norm, weights, gradients, compute)
        } else {
            // This also sets dOutput to 0 where the block's ReLU was off, which the shortcut needs too.
            let mask = ReLUMask.sum(shortcut: shortcut ?? input, kept.shortcut?.normalization)
            batchNormBackward(
                output, dOutput, mask: mask, output, normalization, norm, weights, gradients, compute)
        }
        if let shortcut, let unit = block.shortcut, let keptUnit = kept.shortcut {
            batchNormBackward(
                shortcut, dOutput, shortcut, keptUnit.normalization, unit.norm, weights, gradients, compute)
        }
        for index in stride(from: last, to: 0, by: -1) {
            block.units[index].backward(
                Tensor(kept.gradient, outputs[index - 1].shape), outputs[index],
                (outputs[index - 1], kept.units[index - 1].normalization), before: block.units[index - 1], weights,
                gradients, compute)
        }
        let isComplete = block.shortcut == nil
        let sumsBefore = block.units[0].backward(
            dInput, adds: isComplete, outputs[0], input,
            before: isComplete ? before.map { ($0.output.prefix(batch), $0.normalization) } : nil, weights, gradients,
            compute)
        if let shortcut, let unit = block.shortcut {
            unit.backward(dInput, adds: true, shortcut, input, before: nil, weights, gradients, compute)
        }
        return sumsBefore
    }
}

extension ResNetMemory.Block {
    /// output = max(0, the last unit's output normalised + the shortcut's); output may be the input.
    fileprivate func end(_ output: Tensor, input: Tensor, _ compute: Compute) {
        let (last, batch) = (units.last!, output.shape[0])
        normalizeAddReLU(
            output, last.output.prefix(batch), last.normalization, shortcut: shortcut?.output.prefix(batch) ?? input,
            shortcutNormalization: shortcut?.normalization, compute)
    }
}
