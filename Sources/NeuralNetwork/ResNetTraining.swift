// A ResNet's training passes: forward with batch statistics, and backward beside it.

import Tensors

extension ResNet {
    /// Training: features [N, d] of x [N, S, S, 3]; what the backward pass needs goes to `activations`, and the running
    /// statistics move.
    public func forward(
        _ features: Tensor, _ x: Tensor, _ activations: ResNetActivations, _ scratch: ResNetScratch,
        _ weights: ModelWeights, _ compute: Compute
    ) {
        let batch = x.shape[0]
        let stemUnit = activations.stem
        forward(stem, x, stemUnit, batch, weights, compute)
        let pooled = activations.pooled.prefix(batch)
        maxPool(
            pooled, index: activations.pooledIndex, stemUnit.output.prefix(batch), Self.pooling,
            normalization: stemUnit.normalization, compute)

        var input = pooled
        for (block, kept) in zip(blocks, activations.blocks) {
            var current = input
            for (index, unit) in block.units.enumerated() {
                if index > 0 { current = rectified(kept.units[index - 1], batch, in: scratch, compute) }
                forward(unit, current, kept.units[index], batch, weights, compute)
            }
            let last = kept.units.last!
            let output = kept.output.prefix(batch)
            if let shortcut = block.shortcut, let keptShortcut = kept.shortcut {
                forward(shortcut, input, keptShortcut, batch, weights, compute)
                normalizeAddReLU(
                    output, last.output.prefix(batch), last.normalization, shortcut: keptShortcut.output.prefix(batch),
                    shortcutNormalization: keptShortcut.normalization, compute)
            } else {
                normalizeAddReLU(
                    output, last.output.prefix(batch), last.normalization, shortcut: input, shortcutNormalization: nil,
                    compute)
            }
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
            let isInPlace = backward(
                blocks[index], activations.blocks[index], input, current, other, gradients, scratch, weights, compute)
            if !isInPlace { swap(&current, &other) }
        }

        let stemUnit = activations.stem
        let stemOutput = stemUnit.output.prefix(batch)
        let dStem = Tensor(scratch.unitGradients.0, stemOutput.shape)
        let pooled = activations.pooled.prefix(batch)
        let dPooled = Tensor(current, pooled.shape)
        // Where the pooled value is 0 the ReLU in front of the pooling was off.
        reluBackward(dPooled, activation: pooled, compute)
        maxPoolBackward(dStem, dPooled, index: activations.pooledIndex, Self.pooling, compute)
        batchNormBackward(
            dStem, dStem, stemOutput, stemUnit.normalization, stem.norm, weights, gradients, compute)
        convolutionBackwardWeight(stem.weight.tensor(in: gradients), x, dStem, stem.window, compute)
    }

    /// One block's gradients. `current` holds the gradient by its output; the one by its input goes to `other`, or back to
    /// `current` where the shortcut is the identity, which is what is returned.
    private func backward(
        _ block: ResidualBlock, _ kept: ResNetActivations.Block, _ input: Tensor,
        _ current: UnsafeMutablePointer<Float>, _ other: UnsafeMutablePointer<Float>, _ gradients: Arena,
        _ scratch: ResNetScratch, _ weights: ModelWeights, _ compute: Compute
    ) -> Bool {
        let batch = input.shape[0]
        let output = kept.output.prefix(batch)
        let dOutput = Tensor(current, output.shape)
        let units = kept.units
        var (dUnit, spare) = scratch.unitGradients

        // The last unit; this also sets dOutput to 0 where the block's ReLU was off, which the shortcut needs too.
        let last = units.count - 1
        batchNormBackward(
            Tensor(dUnit, output.shape), dOutput, activation: output, units[last].output.prefix(batch),
            units[last].normalization, block.units[last].norm, weights, gradients, compute)
        for index in stride(from: last, to: 0, by: -1) {
            let before = units[index - 1]
            let activation = rectified(before, batch, in: scratch, compute)
            let dy = Tensor(dUnit, units[index].output.prefix(batch).shape)
            let dActivation = Tensor(spare, activation.shape)
            let unit = block.units[index]
            convolutionBackwardWeight(unit.weight.tensor(in: gradients), activation, dy, unit.window, compute)
            convolutionBackwardData(
                dActivation, dy, weight: unit.weight.tensor(in: weights.parameters), unit.window, compute)
            batchNormBackward(
                dActivation, dActivation, activation: activation, before.output.prefix(batch), before.normalization,
                block.units[index - 1].norm, weights, gradients, compute)
            swap(&dUnit, &spare)
        }

        let first = block.units[0]
        let dFirst = Tensor(dUnit, units[0].output.prefix(batch).shape)
        convolutionBackwardWeight(first.weight.tensor(in: gradients), input, dFirst, first.window, compute)
        let dInput = Tensor(block.shortcut == nil ? current : other, input.shape)
        convolutionBackwardData(
            dInput, dFirst, weight: first.weight.tensor(in: weights.parameters), first.window,
            adds: block.shortcut == nil, compute)
        guard let shortcut = block.shortcut, let keptShortcut = kept.shortcut else { return true }
        batchNormBackward(
            dOutput, dOutput, keptShortcut.output.prefix(batch), keptShortcut.normalization, shortcut.norm, weights,
            gradients, compute)
        convolutionBackwardWeight(shortcut.weight.tensor(in: gradients), input, dOutput, shortcut.window, compute)
        convolutionBackwardData(
            dInput, dOutput, weight: shortcut.weight.tensor(in: weights.parameters), shortcut.window, adds: true,
            compute)
        return false
    }

    private func forward(
        _ unit: ConvolutionUnit, _ x: Tensor, _ kept: ResNetActivations.Unit, _ batch: Int, _ weights: ModelWeights,
        _ compute: Compute
    ) {
        let output = kept.output.prefix(batch)
        convolution(output, x, weight: unit.weight.tensor(in: weights.parameters), unit.window, compute)
        batchNorm(kept.normalization, output, unit.norm, weights, compute)
    }

    /// What the unit hands to the next one of its block, made from what is kept of it.
    private func rectified(
        _ kept: ResNetActivations.Unit, _ batch: Int, in scratch: ResNetScratch, _ compute: Compute
    ) -> Tensor {
        let output = kept.output.prefix(batch)
        let activation = Tensor(scratch.activation, output.shape)
        normalize(activation, output, kept.normalization, relu: true, compute)
        return activation
    }
}
