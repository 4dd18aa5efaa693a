// What was drawn for one view of one picture: a value that can be kept, compared and rendered again.

import CKernels
import Foundation

/// One change of a picture's colours. Each ends in whole grey levels, cut to 0 ... 255.
public enum ColorOperation: Sendable, Equatable {
    /// Multiplies every level by the factor.
    case brightness(Float)
    /// Moves every level away from the picture's mean luma by the factor.
    case contrast(Float)
    /// Moves every level away from the pixel's luma by the factor.
    case saturation(Float)
    /// Turns the hue, in turns from -0.5 to 0.5, through Pillow's 8-bit HSV.
    case hue(Float)
    /// Replaces every channel by the luma.
    case greyscale

    /// The form in which the kernels take it; `mean` is the picture's rounded mean luma before it.
    func kernelForm(mean: Int = 0) -> ck_colour {
        switch self {
        case .brightness(let factor): ck_colour(kind: CK_BRIGHTNESS, factor: factor, level: 0)
        case .contrast(let factor): ck_colour(kind: CK_CONTRAST, factor: factor, level: Int32(mean))
        case .saturation(let factor): ck_colour(kind: CK_SATURATION, factor: factor, level: 0)
        // Towards zero, in 255ths, and then counted modulo 256: torchvision's adjust_hue.
        case .hue(let shift): ck_colour(kind: CK_HUE, factor: 0, level: Int32(shift * 255))
        case .greyscale: ck_colour(kind: CK_GREYSCALE, factor: 0, level: 0)
        }
    }

    var isContrast: Bool { if case .contrast = self { true } else { false } }
}

/// A Gaussian blur as OpenCV's `GaussianBlur` has it, borders mirrored (`BORDER_REFLECT_101`).
public struct GaussianBlur: Sendable, Equatable {
    /// Pixels of the kernel's side; odd.
    public var kernelSize: Int
    /// The standard deviation in pixels, above 0.
    public var sigma: Float

    /// Creates a blur.
    public init(kernelSize: Int, sigma: Float) {
        precondition(kernelSize > 0 && kernelSize % 2 == 1 && sigma > 0)
        self.kernelSize = kernelSize
        self.sigma = sigma
    }

    /// The weights from the middle outwards (OpenCV's getGaussianKernel), without the tail that is too small to matter:
    /// beyond 3 sigma lies 0.3% of the whole, a third of a grey level at the steepest edge. OpenCV itself has 8 bits for
    /// the weights of 8-bit pictures, to which what lies there is next to nothing.
    var weights: [Float] {
        let radius = kernelSize / 2
        let kept = min(radius, Int((3 * sigma).rounded(.up)))
        func bell(_ k: Int) -> Double { exp(-Double(k * k) / (2 * Double(sigma) * Double(sigma))) }
        let sum = (0...kept).reduce(0) { $0 + bell($1) * ($1 == 0 ? 1 : 2) }
        return (0...kept).map { Float(bell($0) / sum) }
    }
}

/// All that distinguishes a view from its picture, in the order of application.
public struct ViewParameters: Sendable, Equatable {
    /// The part that is resized to the view's size.
    public var crop: CropBox
    /// Whether left and right change places.
    public var isFlipped: Bool
    /// The changes of colour, in order; at most one is `contrast`.
    public var colors: [ColorOperation]
    /// The blur, where there is one.
    public var blur: GaussianBlur?

    /// Creates parameters.
    public init(crop: CropBox, isFlipped: Bool = false, colors: [ColorOperation] = [], blur: GaussianBlur? = nil) {
        precondition(colors.count(where: \.isContrast) <= 1)
        self.crop = crop
        self.isFlipped = isFlipped
        self.colors = colors
        self.blur = blur
    }

    /// The plain resized picture: nothing cropped, the aspect changed as it must. For evaluation and the ablations.
    public init(wholeOf image: RGBImage) {
        self.init(crop: CropBox(left: 0, top: 0, width: image.width, height: image.height))
    }
}
