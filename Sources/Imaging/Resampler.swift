// Resampling a box of a picture to another size: one pass over the box, then a row of the result at a time.

import CKernels
import Tensors

/// A box of whole pixels in a picture.
public struct CropBox: Sendable, Equatable {
    /// The first column.
    public var left: Int
    /// The first row.
    public var top: Int
    /// Columns, at least 1.
    public var width: Int
    /// Rows, at least 1.
    public var height: Int

    /// Creates a box.
    public init(left: Int, top: Int, width: Int, height: Int) {
        self.left = left
        self.top = top
        self.width = width
        self.height = height
    }
}

/// The imaging functions to compute with.
package enum ImagingKernels: Sendable, Equatable {
    /// Those of an instruction set.
    case vector(InstructionSet)
    /// The reference, one pixel at a time.
    case plain

    /// The fastest that this machine has.
    package static let best = ImagingKernels.vector(.best)

    /// The functions.
    var table: ck_imaging {
        switch self {
        case .vector(let set): ck_imaging_for(set.code).pointee
        case .plain: ck_imaging_plain().pointee
        }
    }
}

/// Memory that grows to the largest size asked for and is then used again.
struct Workspace<Element: BitwiseCopyable>: ~Copyable {
    private var buffer = UnsafeMutableBufferPointer<Element>(start: nil, count: 0)

    /// Room for `count` elements, uninitialised or as they were left; valid until the next call.
    mutating func room(for count: Int) -> UnsafeMutablePointer<Element> {
        if buffer.count < max(count, 1) {
            buffer.deallocate()
            buffer = .allocate(capacity: max(count, 1))
        }
        return buffer.baseAddress!
    }

    deinit { buffer.deallocate() }
}

/// Bilinear resampling with anti-aliasing, as Pillow's `crop(box).resize(size, BILINEAR)`.
struct Resampler: ~Copyable {
    let kernels: ck_imaging
    private var scratch = Workspace<UInt8>()
    private var columns = Workspace<UInt32>()

    init(kernels: ck_imaging) { self.kernels = kernels }

    /// Resamples `box` of `image` to `width` x `height` packed pixels, mirrored left to right if asked to.
    ///
    /// - Parameters:
    ///   - line: where row y of the result is to be written, `width` pixels.
    ///   - finish: called with each row, from the first to the last, when it has been written.
    mutating func resample(
        _ image: RGBImage, box: CropBox, width: Int, height: Int, mirrored: Bool,
        line: (_ y: Int) -> UnsafeMutablePointer<UInt32>, finish: (_ y: Int, UnsafeMutablePointer<UInt32>) -> Void
    ) {
        precondition(
            box.left >= 0 && box.top >= 0 && box.width > 0 && box.height > 0 && box.left + box.width <= image.width
                && box.top + box.height <= image.height,
            "\(box) is not in a picture of \(image.width) x \(image.height)")
        let alongX = Resampling(inputs: box.width, outputs: width)
        let alongY = Resampling(inputs: box.height, outputs: height)
        let scratch = scratch.room(for: ck_columns_scratch(box.width, width))
        let columns = columns.room(for: box.height * width)
        image.pixels.withUnsafeBufferPointer { pixels in
            alongX.withKernelForm { weights in
                kernels.columns(
                    columns, pixels.baseAddress, 3 * (box.top * image.width + box.left), 3 * image.width, pixels.count,
                    box.height, weights, mirrored, scratch)
            }
        }
        alongY.weights.withUnsafeBufferPointer { weights in
            for y in 0..<height {
                let out = line(y)
                kernels.row(
                    out, columns + Int(alongY.first[y]) * width, width, alongY.taps,
                    weights.baseAddress! + y * alongY.taps)
                finish(y, out)
            }
        }
    }
}
