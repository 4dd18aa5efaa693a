// Makes views: a picture and parameters in, floats out, in as few passes over memory as the operations permit.
//
// One pass resamples the crop along x, mirrored if flipped. One makes a row at a time along y, changes its colours, blurs
// it and writes it out while it is in the nearest cache. Contrast needs the mean of all rows before it, so what follows it
// is a pass of its own.

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
    private var rows = Workspace<UInt32>()
    private var line = Workspace<Float>()
    private var blurring = BlurWindow()

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
        let weights = parameters.blur?.weights ?? [1]
        let width = width, height = height, stride = lineStride(width), kernels = kernels
        blurring.begin(weights: weights, width: width, height: height)
        func finish(_ y: Int, _ line: UnsafeMutablePointer<Float>) {
            guard weights.count > 1 else { return kernels.levels(out + 3 * width * y, line, stride, width) }
            blurring.add(line, kernels) { y, line in kernels.levels(out + 3 * width * y, line, stride, width) }
        }

        let contrast = parameters.colors.firstIndex(where: \.isContrast)
        let first = parameters.colors[..<(contrast ?? parameters.colors.endIndex)].map { $0.kernelForm() }
        let rows = rows.room(for: contrast == nil ? 0 : stride * height)
        var luma: UInt64 = 0
        resampler.resample(
            image, box: parameters.crop, width: width, height: height, mirrored: parameters.isFlipped
        ) { y, line in
            kernels.colour(line, stride, first, first.count)
            guard contrast != nil else { return finish(y, line) }
            luma += kernels.luma(line, stride, width)
            kernels.pack(rows + stride * y, line, stride)
        }
        guard let contrast else { return }
        let mean = Int(Double(luma) / Double(width * height) + 0.5)
        let rest = parameters.colors[contrast...].map { $0.kernelForm(mean: mean) }
        let line = line.room(for: 3 * stride)
        for y in 0..<height {
            kernels.unpack(line, stride, rows + stride * y)
            kernels.colour(line, stride, rest, rest.count)
            finish(y, line)
        }
    }

    /// Renders the whole of `image`, resized without cropping: the view for evaluation.
    public func renderResized(_ image: RGBImage, into out: UnsafeMutablePointer<Float>) {
        render(image, ViewParameters(wholeOf: image), into: out)
    }
}
