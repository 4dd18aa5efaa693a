// Pictures of another size, as pictures.

import Tensors

extension RGBImage {
    /// The picture, or a box of it, resized by bilinear interpolation with anti-aliasing; the aspect may change.
    public func resized(width newWidth: Int, height newHeight: Int, box: CropBox? = nil) -> RGBImage {
        resized(width: newWidth, height: newHeight, box: box, kernels: .best)
    }

    /// `resized` with the functions of a certain instruction set.
    package func resized(
        width newWidth: Int, height newHeight: Int, box: CropBox?, kernels: ImagingKernels
    ) -> RGBImage {
        var resampler = Resampler(kernels: kernels.table)
        let table = resampler.kernels
        return RGBImage(width: newWidth, height: newHeight) { out in
            resampler.resample(
                self, box: box ?? CropBox(left: 0, top: 0, width: width, height: height), width: newWidth,
                height: newHeight, mirrored: false
            ) { y, line in table.bytes(out.baseAddress! + 3 * newWidth * y, line, lineStride(newWidth), newWidth) }
        }
    }

    /// A picture whose shorter side has no more than `shorterSide` pixels, the aspect kept; itself if it already has.
    ///
    /// Every pixel of the original counts in the result: bilinear with anti-aliasing.
    public func reduced(shorterSide: Int) -> RGBImage {
        precondition(shorterSide > 0)
        let side = min(width, height)
        if side <= shorterSide { return self }
        func scaled(_ length: Int) -> Int {
            Int((Double(length) * Double(shorterSide) / Double(side)).rounded())
        }
        return resized(width: scaled(width), height: scaled(height))
    }
}
