// WebP through libwebp's decoder, and the EXIF chunk of its RIFF container.

import CWebP

extension ImageDecoder {
    /// Decodes a still WebP file.
    func decodeWebP(_ file: ByteView) throws(ImageError) -> (RGBImage, Orientation) {
        guard let riffSize = file.integer(at: 4, size: 4, bigEndian: false), file.count >= 12 else {
            throw .truncated(.webp)
        }
        var config = WebPDecoderConfig()
        guard WebPInitDecoderConfig(&config) != 0 else { throw .corrupt(.webp, detail: "another version of libwebp") }
        let status = WebPGetFeatures(file.bytes.baseAddress, file.count, &config.input)
        guard status == VP8_STATUS_OK else { throw Self.error(status) }
        let width = Int(config.input.width), height = Int(config.input.height)
        try limits.check(width: width, height: height)
        if config.input.has_animation != 0 { throw .animated(.webp) }
        guard riffSize + 8 <= file.count else { throw .truncated(.webp) }

        var decoded = VP8_STATUS_OK
        let picture = RGBImage(width: width, height: height) { out in
            config.output.colorspace = MODE_RGB
            config.output.is_external_memory = 1
            config.output.u.RGBA.rgba = out.baseAddress
            config.output.u.RGBA.stride = Int32(3 * width)
            config.output.u.RGBA.size = out.count
            decoded = WebPDecode(file.bytes.baseAddress, file.count, &config)
        }
        guard decoded == VP8_STATUS_OK else { throw Self.error(decoded) }
        return (picture, Self.orientation(file))
    }

    private static func error(_ status: VP8StatusCode) -> ImageError {
        switch status {
        case VP8_STATUS_NOT_ENOUGH_DATA, VP8_STATUS_SUSPENDED: .truncated(.webp)
        case VP8_STATUS_BITSTREAM_ERROR: .corrupt(.webp, detail: "the bitstream breaks the format's rules")
        case VP8_STATUS_UNSUPPORTED_FEATURE: .corrupt(.webp, detail: "a feature that the format does not have")
        default: .corrupt(.webp, detail: "libwebp status \(status.rawValue)")
        }
    }

    /// Looks through the chunks of the container for EXIF data.
    private static func orientation(_ file: ByteView) -> Orientation {
        var at = 12
        while let length = file.integer(at: at + 4, size: 4, bigEndian: false) {
            if file.holds("EXIF", at: at) {
                return Orientation(exif: file.slice(at + 8..<at + 8 + length)) ?? .upright
            }
            at += 8 + length + length % 2
        }
        return .upright
    }
}
