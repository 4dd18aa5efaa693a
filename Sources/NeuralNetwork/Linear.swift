// A fully connected layer, y = x Wᵀ + b, with PyTorch's weight [O, I].

import CKernels
import Tensors

/// A linear layer's arrays.
public struct Linear: Sendable {
    /// The weight, [O, I].
    public let weight: ParameterEntry
    /// The offset, [O].
    public let bias: ParameterEntry

    /// Declares the arrays under `name`.
    public init(_ name: String, inputs: Int, outputs: Int, _ layout: inout ParameterLayout) {
        weight = layout.addParameter("\(name).weight", [outputs, inputs])
        bias = layout.addParameter("\(name).bias", [outputs])
    }
}

/// y [N, O] = x [N, I] · weightᵀ + bias.
public func linear(_ y: Tensor, _ x: Tensor, _ layer: Linear, _ weights: ModelWeights, _ compute: Compute) {
    let (inputs, outputs) = (x.shape[1], y.shape[1])
    let weight = layer.weight.tensor(in: weights.parameters)
    let bias = layer.bias.tensor(in: weights.parameters)
    // So few rows take about as long as reading the weight does, so each thread reads a part of it.
    if x.shape[0] < 8 * compute.pool.threadCount {
        for row in 0..<x.shape[0] { (y.data + row * outputs).update(from: bias.data, count: outputs) }
        forEachSlice(outputs, compute) { first, count in
            matrixProduct(
                Matrix(y.data + first, stride: outputs), x.matrix,
                Matrix(weight.data + first * inputs, stride: inputs).transposed, m: x.shape[0], n: count, k: inputs,
                keep: 1)
        }
        return
    }
    forEachSlice(x.shape[0], compute) { first, count in
        for row in first..<first + count { (y.data + row * outputs).update(from: bias.data, count: outputs) }
        matrixProduct(
            Matrix(y.data + first * outputs, stride: outputs), Matrix(x.data + first * inputs, stride: inputs),
            weight.matrix.transposed, m: count, n: outputs, k: inputs, keep: 1)
    }
}

/// The gradients of a linear layer: dx [N, I] = dy · weight (+= where `adds`; left out where nil), and those of weight and
/// bias, which go to `gradients`.
public func linearBackward(
    _ dx: Tensor?, _ dy: Tensor, _ x: Tensor, _ layer: Linear, _ weights: ModelWeights, _ gradients: Arena,
    adds: Bool = false, _ compute: Compute
) {
    let (batch, inputs, outputs) = (x.shape[0], x.shape[1], dy.shape[1])
    let dWeight = layer.weight.tensor(in: gradients)
    let dBias = layer.bias.tensor(in: gradients)
    dBias.clear()
    for row in 0..<batch { compute.kernels.add(dBias.data, dy.data + row * outputs, outputs) }
    forEachSlice(outputs, compute) { first, count in
        matrixProduct(
            Matrix(dWeight.data + first * inputs, stride: inputs),
            Matrix(dy.data + first, stride: outputs).transposed, x.matrix, m: count, n: inputs, k: batch)
    }
    guard let dx else { return }
    let weight = layer.weight.tensor(in: weights.parameters)
    forEachSlice(batch, compute) { first, count in
        matrixProduct(
            Matrix(dx.data + first * inputs, stride: inputs), Matrix(dy.data + first * outputs, stride: outputs),
            weight.matrix, m: count, n: inputs, k: outputs, keep: adds ? 1 : 0)
    }
}

/// Divides 0 ..< `count` into one slice a thread; each row of a product is the same whatever slice it is in.
private func forEachSlice(_ count: Int, _ compute: Compute, _ body: (_ first: Int, _ count: Int) -> Void) {
    let size = max(8, (count + compute.pool.threadCount - 1) / compute.pool.threadCount)
    compute.pool.run((count + size - 1) / size) { task, _ in body(task * size, min(size, count - task * size)) }
}
