// A head: two linear layers with a ReLU between, forward and backward. What follows them is the caller's: unit rows for
// instances, a softmax for clusters.

import NeuralNetwork
import Tensors

/// y = Linear(ReLU(Linear(x))).
struct ProjectionHead: Sendable {
    let first: Linear
    let second: Linear

    /// Declares `<name>.0` [width, width] and `<name>.2` [outputs, width].
    init(_ name: String, width: Int, outputs: Int, _ layout: inout ParameterLayout) {
        first = Linear("\(name).0", inputs: width, outputs: width, &layout)
        second = Linear("\(name).2", inputs: width, outputs: outputs, &layout)
    }

    /// y [N, O] of x [N, width]; `hidden` [N, width] receives the rectified values between.
    func forward(_ y: Tensor, hidden: Tensor, _ x: Tensor, _ weights: ModelWeights, _ compute: Compute) {
        linear(hidden, x, first, weights, compute)
        relu(hidden)
        linear(y, hidden, second, weights, compute)
    }

    /// dx [N, width] (+= where `adds`) from dy [N, O]; the arrays' gradients go to `gradients`.
    ///
    /// - Parameters:
    ///   - dhidden: [N, width], scratch
    ///   - hidden: [N, width], what `forward` left
    func backward(
        _ dx: Tensor, adds: Bool, _ dy: Tensor, dhidden: Tensor, hidden: Tensor, _ x: Tensor, _ weights: ModelWeights,
        _ gradients: Arena, _ compute: Compute
    ) {
        linearBackward(dhidden, dy, hidden, second, weights, gradients, compute)
        reluBackward(dhidden, activation: hidden, compute)
        linearBackward(dx, dhidden, x, first, weights, gradients, adds: adds, compute)
    }
}
