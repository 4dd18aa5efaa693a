// The distribution that views are drawn from: the five augmentations of Contrastive Clustering (Li et al. 2021, section 3.1),
// with the parameters of torchvision's RandomResizedCrop and ColorJitter.

import Foundation
import Tensors

/// How views are drawn.
public struct Augmentation: Sendable, Equatable {
    /// Pixels of a view's side.
    public var side: Int
    /// The strength s of the colour jitter; 0.5 for CIFAR, 1 for photos, 0 for none.
    public var jitter: Float
    /// Whether half of the views are blurred.
    public var blurs: Bool
    /// The cropped part of the picture's area.
    public var area: ClosedRange<Float> = 0.08...1
    /// The crop's width over its height, drawn uniformly in its logarithm.
    public var aspect: ClosedRange<Float> = 3 / 4...4 / 3
    /// The probability of a flip.
    public var flipProbability: Float = 0.5
    /// The probability of colour jitter.
    public var jitterProbability: Float = 0.8
    /// The probability of greyscale.
    public var greyscaleProbability: Float = 0.2
    /// The probability of a blur, where blurring is on.
    public var blurProbability: Float = 0.5
    /// The blur's standard deviation in pixels.
    public var sigma: ClosedRange<Float> = 0.1...2

    /// Creates the paper's distribution for views of `side` pixels.
    public init(side: Int, jitter: Float = 1, blurs: Bool = false) {
        precondition(side > 0 && jitter >= 0)
        self.side = side
        self.jitter = jitter
        self.blurs = blurs
    }

    /// The blur's kernel: about a tenth of the side and odd, so 23 at 224 pixels.
    public var blurKernelSize: Int { (side / 10) | 1 }

    /// Draws a view of `image`, the same for the same seed, step, index and view, whichever thread draws it and when.
    ///
    /// - Parameters:
    ///   - step: the training step.
    ///   - index: the picture's place in the mini-batch.
    ///   - view: 0 or 1.
    public func parameters(for image: RGBImage, seed: UInt64, step: UInt64, index: Int, view: Int) -> ViewParameters {
        var random = RandomSource(seed: seed, stream: step, UInt64(index), UInt64(view))
        return parameters(width: image.width, height: image.height, using: &random)
    }

    /// Draws a view of a picture of `width` x `height` pixels.
    public func parameters(width: Int, height: Int, using random: inout RandomSource) -> ViewParameters {
        let crop = crop(width: width, height: height, using: &random)
        let isFlipped = random.uniform() < flipProbability
        var colors: [ColorOperation] = []
        if random.uniform() < jitterProbability, jitter > 0 { colors = jitterOperations(using: &random) }
        if random.uniform() < greyscaleProbability { colors.append(.greyscale) }
        var blur: GaussianBlur?
        if blurs, random.uniform() < blurProbability {
            blur = GaussianBlur(kernelSize: blurKernelSize, sigma: random.uniform(in: sigma))
        }
        return ViewParameters(crop: crop, isFlipped: isFlipped, colors: colors, blur: blur)
    }

    /// Ten tries of a random area and aspect, then the largest centred box of a permitted aspect.
    private func crop(width: Int, height: Int, using random: inout RandomSource) -> CropBox {
        let logarithms = log(aspect.lowerBound)...log(aspect.upperBound)
        for _ in 0..<10 {
            let area = Float(width * height) * random.uniform(in: area)
            let ratio = exp(random.uniform(in: logarithms))
            let w = Int((area * ratio).squareRoot().rounded(.toNearestOrEven))
            let h = Int((area / ratio).squareRoot().rounded(.toNearestOrEven))
            if (1...width).contains(w), (1...height).contains(h) {
                let top = random.integer(below: height - h + 1), left = random.integer(below: width - w + 1)
                return CropBox(left: left, top: top, width: w, height: h)
            }
        }
        let ratio = Float(width) / Float(height)
        var w = width, h = height
        if ratio < aspect.lowerBound {
            h = Int((Float(width) / aspect.lowerBound).rounded(.toNearestOrEven))
        } else if ratio > aspect.upperBound {
            w = Int((Float(height) * aspect.upperBound).rounded(.toNearestOrEven))
        }
        return CropBox(left: (width - w) / 2, top: (height - h) / 2, width: w, height: h)
    }

    private func jitterOperations(using random: inout RandomSource) -> [ColorOperation] {
        let factors = max(0, 1 - 0.8 * jitter)...1 + 0.8 * jitter
        let turn = min(0.2 * jitter, 0.5)
        var operations: [ColorOperation] = [
            .brightness(random.uniform(in: factors)), .contrast(random.uniform(in: factors)),
            .saturation(random.uniform(in: factors)), .hue(random.uniform(in: -turn...turn)),
        ]
        // Fisher and Yates's shuffle.
        for last in stride(from: operations.count - 1, to: 0, by: -1) {
            operations.swapAt(last, random.integer(below: last + 1))
        }
        return operations
    }
}

extension RandomSource {
    /// An integer in 0 ..< `bound`.
    fileprivate mutating func integer(below bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }
}
