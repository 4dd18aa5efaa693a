// PNG through libpng's simplified interface, which never jumps out of a call.
//
// libpng is shown a copy of the file with nothing but the picture in it: IHDR, PLTE, tRNS, IDAT, IEND. So text and
// profiles that unpack to gigabytes are never unpacked, and gamma and profiles change no level.

import CPNG

extension ImageDecoder {
    /// Decodes a PNG file; of an animated one, the picture that viewers without animation show.
    func decodePNG(_ file: ByteView) throws(ImageError) -> (RGBImage, Orientation) {
        guard file.count >= 33 else { throw .truncated(.png) }
        guard file.integer(at: 8, size: 4) == 13, file.holds("IHDR", at: 12) else {
            throw .corrupt(.png, detail: "IHDR is not the first chunk")
        }
        try limits.check(width: file.integer(at: 16, size: 4)!, height: file.integer(at: 20, size: 4)!)
        let essence = try PNGEssence(file)

        var image = png_image()
        image.version = png_uint_32(PNG_IMAGE_VERSION)
        // libpng keeps the structure's address between the two calls.
        let result = withUnsafeMutablePointer(to: &image) { image in
            Self.read(image, essence: essence)
        }
        return (try result.get(), essence.orientation)
    }

    private static func read(
        _ image: UnsafeMutablePointer<png_image>, essence: PNGEssence
    ) -> Result<RGBImage, ImageError> {
        func failure() -> Result<RGBImage, ImageError> {
            .failure(
                .corrupt(
                    .png,
                    detail: withUnsafeBytes(of: image.pointee.message) { text in
                        String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
                    }))
        }
        defer { png_image_free(image) }
        return essence.bytes.withUnsafeBytes { bytes in
            guard png_image_begin_read_from_memory(image, bytes.baseAddress, bytes.count) != 0 else { return failure() }
            // Without a gAMA chunk libpng would take 16-bit levels for linear light.
            image.pointee.flags |= png_uint_32(PNG_IMAGE_FLAG_16BIT_sRGB)
            let width = Int(image.pointee.width), height = Int(image.pointee.height)
            let hasAlpha = image.pointee.format & png_uint_32(PNG_FORMAT_FLAG_ALPHA) != 0
            image.pointee.format = png_uint_32(
                hasAlpha ? PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_ALPHA : PNG_FORMAT_FLAG_COLOR)

            var isRead = false
            let picture = RGBImage(width: width, height: height) { rgb in
                guard hasAlpha else {
                    isRead = png_image_finish_read(image, nil, rgb.baseAddress, 0, nil) != 0
                    return
                }
                withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4 * width * height) { rgba in
                    rgba.initialize(repeating: 0)
                    isRead = png_image_finish_read(image, nil, rgba.baseAddress, 0, nil) != 0
                    for pixel in 0..<width * height {
                        for channel in 0..<3 { rgb[3 * pixel + channel] = rgba[4 * pixel + channel] }
                    }
                }
            }
            return isRead ? .success(picture) : failure()
        }
    }
}

/// The chunks of a PNG file that make the picture, as a PNG file of their own.
private struct PNGEssence {
    private(set) var bytes: [UInt8] = []
    private(set) var orientation = Orientation.upright

    /// Copies the chunks of `file`, which begins with a signature.
    init(_ file: ByteView) throws(ImageError) {
        bytes.reserveCapacity(file.count)
        bytes += file.bytes[..<8]
        var at = 8
        while true {
            guard let length = file.integer(at: at, size: 4), at + 12 + length <= file.count else {
                throw .truncated(.png)
            }
            let end = at + 12 + length
            let isCritical = file.bytes[at + 4] & 0x20 == 0
            if isCritical || file.holds("tRNS", at: at + 4) {
                bytes += file.bytes[at..<end]
            } else if file.holds("eXIf", at: at + 4) {
                orientation = Orientation(exif: file.slice(at + 8..<end - 4)) ?? .upright
            }
            if file.holds("IEND", at: at + 4) { return }
            at = end
        }
    }
}
