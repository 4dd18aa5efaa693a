// The shape of a convolution or pooling window, and the sizes that follow from it.

import CKernels

/// A square window that slides over a picture.
public struct Window: Sendable, Equatable {
    /// Height and width of the window.
    public let kernel: Int
    /// Pixels from one position to the next.
    public let stride: Int
    /// Pixels that the picture is thought to be larger by on each side.
    public let padding: Int

    /// Creates a window; `padding` must be less than `kernel`, so that no position lies outside the picture.
    public init(kernel: Int, stride: Int = 1, padding: Int = 0) {
        precondition(kernel > 0 && stride > 0 && padding >= 0 && padding < kernel)
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
    }

    /// How many positions there are along an axis of `size` pixels; the window must fit.
    public func positions(_ size: Int) -> Int {
        precondition(size + 2 * padding >= kernel, "a window of \(kernel) does not fit \(size) pixels")
        return (size + 2 * padding - kernel) / stride + 1
    }

    /// The description that the loops in C take, for pictures [height, width, channels].
    func over(height: Int, width: Int, channels: Int) -> ck_window {
        ck_window(
            height: height, width: width, channels: channels, out_height: positions(height),
            out_width: positions(width),
            kernel_height: kernel, kernel_width: kernel, stride: stride, padding: padding)
    }
}

/// One convolution at a given input size, with what its passes have in common.
struct ConvolutionProblem {
    let window: ck_window
    let batch: Int
    let inputs: Int
    let outputs: Int

    /// Takes the sizes from x [N, H, W, I], y [N, OH, OW, O] and the weight [kH, kW, I, O], which must agree.
    init(x: [Int], y: [Int], weight: [Int], _ window: Window) {
        precondition(weight == [window.kernel, window.kernel, x[3], y[3]], "weight \(weight) for \(x) to \(y)")
        precondition(x[0] == y[0] && y[1] == window.positions(x[1]) && y[2] == window.positions(x[2]), "\(x) to \(y)")
        self.window = window.over(height: x[1], width: x[2], channels: x[3])
        batch = x[0]
        inputs = x[3]
        outputs = y[3]
    }

    /// Output pixels of one picture.
    var pixels: Int { window.out_height * window.out_width }
    /// Values of one input picture.
    var inputSize: Int { window.height * window.width * inputs }
    /// Values of one output picture.
    var outputSize: Int { pixels * outputs }
    /// Values under one window.
    var depth: Int { window.kernel_height * window.kernel_width * inputs }
    /// Whether each window is just one input pixel and the next window the next pixel.
    var isPointwise: Bool { depth == inputs && window.stride == 1 }

    /// Taps of all windows of a picture that fall inside it.
    var tapsInside: Int {
        func along(positions: Int, size: Int) -> Int {
            (0..<positions).reduce(0) { $0 + taps(from: $1 * window.stride - window.padding, size: size).count }
        }
        return along(positions: window.out_height, size: window.height)
            * along(positions: window.out_width, size: window.width)
    }

    /// The taps along one axis that fall inside 0 ..< `size` for the window that starts at `start`.
    func taps(from start: Int, size: Int) -> Range<Int> { max(0, -start)..<min(window.kernel_height, size - start) }
}
