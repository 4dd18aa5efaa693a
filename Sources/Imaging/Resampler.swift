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
    private var packed = Workspace<UInt32>()
    private var bytes = Workspace<UInt8>()
    private var line = Workspace<Float>()

    init(kernels: ck_imaging) { self.kernels = kernels }

    /// Resamples `box` of `image` to `width` x `height` pixels, mirrored left to right if asked to.
    ///
    /// - Parameter finish: called with each row, from the first to the last: a line of stride `lineStride(width)`, which
    ///   is the callee's to change until it returns.
    mutating func resample(
        _ image: RGBImage, box: CropBox, width: Int, height: Int, mirrored: Bool,
        finish: (_ y: Int, _ line: UnsafeMutablePointer<Float>) -> Void
    ) {
        precondition(
            box.left >= 0 && box.top >= 0 && box.width > 0 && box.height > 0 && box.left + box.width <= image.width
                && box.top + box.height <= image.height,
            "\(box) is not in a picture of \(image.width) x \(image.height)")
        let alongX = Resampling(inputs: box.width, outputs: width)
        let alongY = Resampling(inputs: box.height, outputs: height)
        let offset = 3 * (box.top * image.width + box.left), stride = 3 * image.width
        let yFirst = box.height > height && box.height - height > 2 * (box.width - width)
        let lineWidth = yFirst ? max(box.width, width) : width
        let line = line.room(for: 3 * lineStride(lineWidth))
        let pixels = yFirst ? max(alongY.taps * box.width, height * width) : box.height * width
        let packed = packed.room(for: pixels + Int(CK_LINE_UNIT))

        alongX.withKernelForm { weights in
            let scratch = scratch.room(for: ck_columns_scratch(weights))
            image.pixels.withUnsafeBufferPointer { pixels in
                guard yFirst else {
                    kernels.columns(
                        packed, pixels.baseAddress, offset, stride, pixels.count, box.height, weights, mirrored, scratch
                    )
                    return
                }
                let bytes = bytes.room(for: 3 * box.width * height)
                for y in 0..<height {
                    let from = pixels.baseAddress! + offset + Int(alongY.first[y]) * stride
                    for tap in 0..<alongY.taps {
                        kernels.pixels(packed + tap * box.width, from + tap * stride, box.width)
                    }
                    make(line, of: packed, width: box.width, alongY, output: y)
                    kernels.bytes(bytes + 3 * box.width * y, line, lineStride(box.width), box.width)
                }
                kernels.columns(
                    packed, bytes, 0, 3 * box.width, 3 * box.width * height, height, weights, mirrored, scratch)
            }
        }
        for y in 0..<height {
            if yFirst {
                kernels.unpack(line, lineStride(width), packed + y * width)
            } else {
                make(line, of: packed + Int(alongY.first[y]) * width, width: width, alongY, output: y)
            }
            finish(y, line)
        }
    }

    /// Makes one output along y from the rows that it is made of, each `width` pixels long.
    private func make(
        _ line: UnsafeMutablePointer<Float>, of rows: UnsafeMutablePointer<UInt32>, width: Int, _ alongY: Resampling,
        output: Int
    ) {
        alongY.weights.withUnsafeBufferPointer {
            kernels.row(line, lineStride(width), rows, width, alongY.taps, $0.baseAddress! + output * alongY.taps)
        }
    }
}

/// Floats from one channel to the next of a line of `width` pixels, see `CKernels`.
func lineStride(_ width: Int) -> Int { (width + Int(CK_LINE_UNIT) - 1) / Int(CK_LINE_UNIT) * Int(CK_LINE_UNIT) }
