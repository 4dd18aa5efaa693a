// A ResNet's training passes: forward with batch statistics, and backward beside it.
//
// All views of a mini-batch go through together, one behind the other along the first axis, so that a weight is read, and
// transformed, once for all; each view has batch statistics of its own.

import Tensors

extension ResNet {
    /// Training: features [N, d] of x [N, S, S, 3]; what the backward pass needs goes to `activations`, and the running
    /// statistics move, once for each view.
    public func forward(
        _ features: Tensor, _ x: Tensor, _ activations: ResNetActivations, _ weights: ModelWeights, _ compute: Compute
    ) {
        let batch = x.shape[0]
        let stemUnit = activations.stem
        let stemOutput = stemUnit.output.prefix(batch)
        stem.forward(stemOutput, stemUnit.normalization, ConvolutionInput(x: x), weights, compute)
        let pooled = activations.pooled.prefix(batch)
        maxPool(
            pooled, index: activations.pooledIndex, stemOutput, Self.pooling, normalization: stemUnit.normalization,
            compute)

        var input = pooled
        for (block, kept) in zip(blocks, activations.blocks) {
            var current = ConvolutionInput(x: input)
            for (unit, keptUnit) in zip(block.units, kept.units) {
                let output = keptUnit.output.prefix(batch)
                unit.forward(output, keptUnit.normalization, current, weights, compute)
                current = ConvolutionInput(x: output, normalization: keptUnit.normalization)
            }
            let last = kept.units.last!
            let output = kept.output.prefix(batch)
            let shortcut = kept.shortcut?.output.prefix(batch)
            if let unit = block.shortcut, let keptShortcut = kept.shortcut, let shortcut {
                unit.forward(shortcut, keptShortcut.normalization, ConvolutionInput(x: input), weights, compute)
            }
            normalizeAddReLU(
                output, last.output.prefix(batch), last.normalization, shortcut: shortcut ?? input,
                shortcutNormalization: kept.shortcut?.normalization, compute)
            input = output
        }
        globalAveragePool(features, input, compute)
    }

    /// The gradients of all arrays, added to `gradients`, for dFeatures [N, d] and the x and activations of a forward pass.
    public func backward(
        _ gradients: Arena, _ dFeatures: Tensor, _ x: Tensor, _ activations: ResNetActivations,
        _ scratch: ResNetScratch, _ weights: ModelWeights, _ compute: Compute
    ) {
        let batch = x.shape[0]
        var (current, other) = scratch.blockGradients
        globalAveragePoolBackward(
            Tensor(current, activations.blocks.last!.output.prefix(batch).shape), dFeatures, compute)
        for index in blocks.indices.reversed() {
            let input = (index == 0 ? activations.pooled : activations.blocks[index - 1].output).prefix(batch)
            backward(
                blocks[index], activations.blocks[index], input, current, other, gradients, scratch, weights, compute)
            if blocks[index].shortcut != nil { swap(&current, &other) }
        }

        let stemUnit = activations.stem
        let stemOutput = stemUnit.output.prefix(batch)
        let dStem = Tensor(scratch.unitGradients.0, stemOutput.shape)
        let pooled = activations.pooled.prefix(batch)
        let dPooled = Tensor(current, pooled.shape)
        // Where the pooled value is 0 the ReLU in front of the pooling was off.
        reluBackward(dPooled, activation: pooled, compute)
        maxPoolBackward(dStem, dPooled, index: activations.pooledIndex, Self.pooling, compute)
        batchNormBackward(dStem, dStem, stemOutput, stemUnit.normalization, stem.norm, weights, gradients, compute)
        convolutionBackwardWeight(stem.weight.tensor(in: gradients), x, dStem, stem.window, compute)
    }

    /// One block's gradients. `current` holds the gradient by its output; the one by its input goes to `other`, or back to
    /// `current` where the shortcut is the identity.
    private func backward(
        _ block: ResidualBlock, _ kept: ResNetActivations.Block, _ input: Tensor,
        _ current: UnsafeMutablePointer<Float>, _ other: UnsafeMutablePointer<Float>, _ gradients: Arena,
        _ scratch: ResNetScratch, _ weights: ModelWeights, _ compute: Compute
    ) {
        let batch = input.shape[0]
        let output = kept.output.prefix(batch)
        let dOutput = Tensor(current, output.shape)
        var (dUnit, spare) = scratch.unitGradients

        // The last unit; this also sets dOutput to 0 where the block's ReLU was off, which the shortcut needs too.
        let last = block.units.count - 1
        batchNormBackward(
            Tensor(dUnit, output.shape), dOutput, activation: output, kept.units[last].output.prefix(batch),
            kept.units[last].normalization, block.units[last].norm, weights, gradients, compute)
        for index in stride(from: last, to: 0, by: -1) {
            let (before, after) = (kept.units[index - 1], kept.units[index])
            let values = before.output.prefix(batch)
            block.units[index].backward(
                Tensor(spare, values.shape), Tensor(dUnit, after.output.prefix(batch).shape),
                (values, before.normalization), before: block.units[index - 1], weights, gradients, compute)
            swap(&dUnit, &spare)
        }

        let dFirst = Tensor(dUnit, kept.units[0].output.prefix(batch).shape)
        let dInput = Tensor(block.shortcut == nil ? current : other, input.shape)
        block.units[0].backward(dInput, adds: block.shortcut == nil, dFirst, input, weights, gradients, compute)
        guard let shortcut = block.shortcut, let keptShortcut = kept.shortcut else { return }
        batchNormBackward(
            dOutput, dOutput, keptShortcut.output.prefix(batch), keptShortcut.normalization, shortcut.norm, weights,
            gradients, compute)
        shortcut.backward(dInput, adds: true, dOutput, input, weights, gradients, compute)
    }
}
