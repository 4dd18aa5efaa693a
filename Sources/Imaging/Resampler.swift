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
///
/// Both axes end in whole levels, so their order matters by up to one, which a later change of hue can make several.
/// Pillow resamples along x first, but since version 13 not where the height is reduced by far more than the width
/// (python-pillow/Pillow#9549).
struct Resampler: ~Copyable {
    let kernels: ck_imaging
    private var scratch = Workspace<UInt8>()
    private var halfway = Workspace<UInt32>()
    private var row = Workspace<UInt32>()
    private var bytes = Workspace<UInt8>()
    private var result = Workspace<UInt32>()

    init(kernels: ck_imaging) { self.kernels = kernels }

    /// Resamples `box` of `image` to `width` x `height` packed pixels, mirrored left to right if asked to.
    ///
    /// - Parameters:
    ///   - keepsRows: whether all rows are wanted afterwards, not only one at a time.
    ///   - finish: called with each row, from the first to the last.
    /// - Returns: the rows, [height, width] if they are kept; valid until the next call.
    @discardableResult
    mutating func resample(
        _ image: RGBImage, box: CropBox, width: Int, height: Int, mirrored: Bool, keepsRows: Bool,
        finish: (_ y: Int, UnsafeMutablePointer<UInt32>) -> Void
    ) -> UnsafeMutablePointer<UInt32> {
        precondition(
            box.left >= 0 && box.top >= 0 && box.width > 0 && box.height > 0 && box.left + box.width <= image.width
                && box.top + box.height <= image.height,
            "\(box) is not in a picture of \(image.width) x \(image.height)")
        let alongX = Resampling(inputs: box.width, outputs: width)
        let alongY = Resampling(inputs: box.height, outputs: height)
        let scratch = scratch.room(for: ck_columns_scratch(box.width, width))
        let offset = 3 * (box.top * image.width + box.left), stride = 3 * image.width
        let yFirst = box.height > height && box.height - height > 2 * (box.width - width)
        let keepsRows = keepsRows || yFirst
        let halfway = halfway.room(for: yFirst ? alongY.taps * box.width : box.height * width)
        let result = result.room(for: (keepsRows ? height : 1) * width)

        if yFirst {
            let bytes = bytes.room(for: 3 * box.width * height), row = row.room(for: box.width)
            image.pixels.withUnsafeBufferPointer { pixels in
                for y in 0..<height {
                    let from = pixels.baseAddress! + offset + Int(alongY.first[y]) * stride
                    for tap in 0..<alongY.taps {
                        kernels.pixels(halfway + tap * box.width, from + tap * stride, box.width)
                    }
                    make(row, of: halfway, width: box.width, alongY, output: y)
                    kernels.bytes(bytes + 3 * box.width * y, row, box.width)
                }
            }
            alongX.withKernelForm { weights in
                kernels.columns(
                    result, bytes, 0, 3 * box.width, 3 * box.width * height, height, weights, mirrored, scratch)
            }
            for y in 0..<height { finish(y, result + y * width) }
        } else {
            image.pixels.withUnsafeBufferPointer { pixels in
                alongX.withKernelForm { weights in
                    kernels.columns(
                        halfway, pixels.baseAddress, offset, stride, pixels.count, box.height, weights, mirrored,
                        scratch)
                }
            }
            for y in 0..<height {
                let row = result + (keepsRows ? y * width : 0)
                make(row, of: halfway + Int(alongY.first[y]) * width, width: width, alongY, output: y)
                finish(y, row)
            }
        }
        return result
    }

    /// Makes one output along y from the rows that it is made of, each `width` pixels long.
    private func make(
        _ row: UnsafeMutablePointer<UInt32>, of rows: UnsafeMutablePointer<UInt32>, width: Int, _ alongY: Resampling,
        output: Int
    ) {
        alongY.weights.withUnsafeBufferPointer {
            kernels.row(row, rows, width, alongY.taps, $0.baseAddress! + output * alongY.taps)
        }
    }
}
