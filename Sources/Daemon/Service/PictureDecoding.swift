// An admitted image's bytes to pixels, small enough to wait for training in numbers.

import Imaging
import StreamProtocol

/// Decodes images for a model that looks at squares of `side` pixels.
struct PictureDecoding: Sendable {
    private let decoder = ImageDecoder()
    private let side: Int

    /// Creates a decoding for a model that sees `side` x `side` pixels.
    init(side: Int) { self.side = side }

    /// Decodes an image.
    ///
    /// A large JPEG is decoded at a fraction of its size: to a crop of 8% of its area the resize still filters.
    func picture(of image: IncomingImage) throws(UnreadableImage) -> RGBImage {
        do throws(ImageError) {
            switch image.encoding {
            case .file:
                return try decoder.decode(image.payload, shorterSide: 2 * side)
            case .raw(let height, let width, let channels, let color):
                return try decoder.raw(
                    image.payload, height: height, width: width, channels: channels, order: .init(color))
            }
        } catch {
            throw UnreadableImage(reason: error.reason)
        }
    }
}

extension ImageDecoder.ChannelOrder {
    fileprivate init(_ color: ColorOrder) {
        self =
            switch color {
            case .rgb: .rgb
            case .bgr: .bgr
            case .gray: .gray
            }
    }
}
