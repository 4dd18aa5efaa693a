// Adam (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980), without weight decay, as PyTorch's `torch.optim.Adam`.

import CKernels
import Glibc
import Tensors

/// The optimizer: its settings and the moments of every parameter.
public final class Adam {
    /// The step size α.
    public var learningRate: Float
    /// How much of the first moment is kept a step.
    public let beta1: Float = 0.9
    /// How much of the second moment is kept a step.
    public let beta2: Float = 0.999
    /// What keeps the quotient finite.
    public let epsilon: Float = 1e-8
    /// Steps taken.
    public var step: UInt64 = 0
    /// The first moments, laid out like the parameters.
    public let firstMoments: Arena
    /// The second moments, laid out like the parameters.
    public let secondMoments: Arena

    /// Creates an optimizer for `count` parameters, its moments zero.
    public init(count: Int, learningRate: Float) {
        self.learningRate = learningRate
        firstMoments = Arena(count: count)
        secondMoments = Arena(count: count)
    }

    /// parameters −= α · m̂ / (√v̂ + ε), after the moments have moved towards the gradients.
    public func update(_ parameters: Arena, gradients: Arena, _ compute: Compute) {
        precondition(parameters.count == firstMoments.count && gradients.count == firstMoments.count)
        step += 1
        // Bias corrections in double: 1 − 0.999¹ loses digits in float.
        let rate = Float(Double(learningRate) / (1 - pow(0.9, Double(step))))
        let rootCorrection = Float(1 / (1 - pow(0.999, Double(step))).squareRoot())
        let (beta1, beta2, epsilon, kernels) = (beta1, beta2, epsilon, compute.kernels)
        let (first, second) = (firstMoments.base, secondMoments.base)
        let (values, slopes) = (parameters.base, gradients.base)
        compute.forEachChunk(rows: parameters.count, channels: 1) { start, count, _ in
            kernels.adam(
                values + start, first + start, second + start, slopes + start, count, rate, beta1, beta2, epsilon,
                rootCorrection)
        }
    }
}
