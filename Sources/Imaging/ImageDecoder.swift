// Bytes from anyone to pixels: the one door through which pictures enter.
//
// The first bytes decide the format, whatever a sender calls it. Dimensions are read and checked before anything is
// allocated for them. A picture that is not whole is an error, never half a picture. There is no shared state.

/// Decodes JPEG, PNG, WebP and raw pixels to RGB.
///
/// Greyscale becomes three equal channels; palettes are looked up; 16 bits are scaled to 8; an alpha channel is left
/// out, as by Pillow's `convert("RGB")`, so that what a transparent pixel stores is what is seen; CMYK is read with Adobe's
/// inverted convention, as Pillow does; embedded colour profiles and gamma are not applied. A picture with an EXIF
/// orientation is turned upright.
public struct ImageDecoder: Sendable {
    /// The bounds that every picture is held to.
    public var limits: ImageLimits

    /// Creates a decoder.
    public init(limits: ImageLimits = ImageLimits()) { self.limits = limits }

    /// Decodes a JPEG, PNG or WebP file; bytes after its end are ignored.
    ///
    /// - Parameters:
    ///   - bytes: the file.
    ///   - shorterSide: if given, a large JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, with no side of the result
    ///     shorter than this. Give twice the size needed where it will be resized, so that the resize still filters.
    public func decode(_ bytes: [UInt8], shorterSide: Int? = nil) throws(ImageError) -> RGBImage {
        try limits.check(byteCount: bytes.count)
        // The closure returns what went wrong, since withUnsafeBufferPointer does not carry a typed error past the result.
        let result = bytes.withUnsafeBufferPointer { buffer -> Result<RGBImage, ImageError> in
            let file = ByteView(bytes: buffer)
            do throws(ImageError) {
                return .success(try decode(file, shorterSide: shorterSide))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func decode(_ file: ByteView, shorterSide: Int?) throws(ImageError) -> RGBImage {
        let (picture, orientation) =
            switch Self.format(of: file) {
            case .jpeg: try decodeJPEG(file, shorterSide: shorterSide)
            case .png: try decodePNG(file)
            case .webp: try decodeWebP(file)
            case nil: throw .notAnImage
            }
        return picture.turned(orientation)
    }

    /// The format that a file's first bytes show, nil where it is none that can be decoded.
    public static func format(of bytes: [UInt8]) -> ImageFormat? {
        bytes.withUnsafeBufferPointer { format(of: ByteView(bytes: $0)) }
    }

    private static func format(of file: ByteView) -> ImageFormat? {
        // A signature cut short still tells the format, so that the error can say "truncated".
        if file[0] == 0xFF, file[1] == 0xD8, file[2] ?? 0xFF == 0xFF { return .jpeg }
        let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        if file.count >= 4, file.bytes.prefix(8).elementsEqual(png.prefix(file.count)) { return .png }
        if file.holds("RIFF"), file.count < 12 || file.holds("WEBP", at: 8) { return .webp }
        return nil
    }

    /// The order of raw channels.
    public enum ChannelOrder: Sendable, CaseIterable {
        /// Red first.
        case rgb
        /// Blue first, OpenCV's order.
        case bgr
        /// One channel.
        case gray
    }

    /// Reads raw 8-bit pixels.
    ///
    /// - Parameters:
    ///   - bytes: row-major [height, width, channels].
    ///   - channels: 1 (grey, whatever `order` says), 3, or 4 with an alpha channel last, which is left out.
    ///   - order: the order of the channels.
    public func raw(
        _ bytes: [UInt8], height: Int, width: Int, channels: Int, order: ChannelOrder
    ) throws(ImageError) -> RGBImage {
        try limits.check(byteCount: bytes.count)
        try limits.check(width: width, height: height)
        guard channels == 1 || (order != .gray && (channels == 3 || channels == 4)) else {
            throw .unsupportedChannels(channels)
        }
        let expected = width * height * channels
        guard bytes.count == expected else { throw .shapeMismatch(expected: expected, actual: bytes.count) }
        if channels == 3, order == .rgb { return RGBImage(width: width, height: height, pixels: bytes) }
        let (red, green, blue) =
            switch (channels, order) {
            case (1, _), (_, .gray): (0, 0, 0)
            case (_, .rgb): (0, 1, 2)
            case (_, .bgr): (2, 1, 0)
            }
        return RGBImage(width: width, height: height) { out in
            bytes.withUnsafeBufferPointer { input in
                for pixel in 0..<width * height {
                    out[3 * pixel] = input[channels * pixel + red]
                    out[3 * pixel + 1] = input[channels * pixel + green]
                    out[3 * pixel + 2] = input[channels * pixel + blue]
                }
            }
        }
    }
}
