// Makes views: a picture and parameters in, floats out, in as few passes over memory as the operations permit.
//
// One pass resamples the crop along x, mirrored if flipped. One makes a row at a time along y and changes its colours
// while it is in the nearest cache. Contrast needs the mean of all rows before it, so what follows it is a pass of its
// own, and so is a blur.

import CKernels
import Tensors

/// Renders views into a caller's memory. It owns scratch memory, so each thread needs one of its own.
public final class ViewRenderer {
    /// Pixels of a view's row.
    public let width: Int
    /// Rows of a view.
    public let height: Int

    private let kernels: ck_imaging
    private var resampler: Resampler
    private var bytes = Workspace<UInt8>()
    private var sharp = Workspace<Float>()
    private var blurScratch = Workspace<Float>()

    /// Creates a renderer of views of `side` x `side` pixels.
    public convenience init(side: Int) { self.init(width: side, height: side, kernels: .best) }

    /// Creates a renderer of views of any size with the functions of a certain instruction set.
    package init(width: Int, height: Int, kernels: ImagingKernels) {
        precondition(width > 0 && height > 0)
        self.width = width
        self.height = height
        self.kernels = kernels.table
        resampler = Resampler(kernels: kernels.table)
    }

    /// Renders the view of `image` that `parameters` describe.
    ///
    /// - Parameter out: [height, width, 3], RGB in 0 ... 1.
    public func render(_ image: RGBImage, _ parameters: ViewParameters, into out: UnsafeMutablePointer<Float>) {
        guard let blur = parameters.blur else { return renderSharp(image, parameters, into: out) }
        let weights = blur.weights
        if weights.count == 1 { return renderSharp(image, parameters, into: out) }
        let sharp = sharp.room(for: width * height * 3)
        renderSharp(image, parameters, into: sharp)
        self.blur(sharp, weights: weights, into: out)
    }

    /// Renders the whole of `image`, resized without cropping: the view for evaluation.
    public func renderResized(_ image: RGBImage, into out: UnsafeMutablePointer<Float>) {
        renderSharp(image, ViewParameters(wholeOf: image), into: out)
    }

    private func renderSharp(_ image: RGBImage, _ parameters: ViewParameters, into out: UnsafeMutablePointer<Float>) {
        let contrast = parameters.colors.firstIndex(where: \.isContrast)
        let width = width, height = height, kernels = kernels
        let bytes = bytes.room(for: 3 * width)
        func finish(_ y: Int, _ row: UnsafeMutablePointer<UInt32>) {
            kernels.bytes(bytes, row, width)
            kernels.levels(out + 3 * width * y, bytes, 3 * width)
        }

        let first = parameters.colors[..<(contrast ?? parameters.colors.endIndex)].map { $0.kernelForm() }
        var luma: UInt64 = 0
        let rows = resampler.resample(
            image, box: parameters.crop, width: width, height: height, mirrored: parameters.isFlipped,
            keepsRows: contrast != nil
        ) { y, row in
            if !first.isEmpty { kernels.colour(row, width, first, first.count) }
            if contrast == nil { finish(y, row) } else { luma += kernels.luma(row, width) }
        }
        guard let contrast else { return }
        let mean = Int(Double(luma) / Double(width * height) + 0.5)
        let rest = parameters.colors[contrast...].map { $0.kernelForm(mean: mean) }
        for y in 0..<height {
            kernels.colour(rows + width * y, width, rest, rest.count)
            finish(y, rows + width * y)
        }
    }

    private func blur(_ sharp: UnsafeMutablePointer<Float>, weights: [Float], into out: UnsafeMutablePointer<Float>) {
        let radius = weights.count - 1
        let scratch = blurScratch.room(for: 3 * (width + 2 * radius))
        // The rows with those that stand for what lies above and below.
        let rows: [UnsafePointer<Float>?] = (-radius..<height + radius).map {
            UnsafePointer(sharp + 3 * width * ck_reflect($0, height))
        }
        rows.withUnsafeBufferPointer { rows in
            for y in 0..<height {
                kernels.blur(out + 3 * width * y, rows.baseAddress! + y, width, radius, weights, scratch)
            }
        }
    }
}
