// What a picture from an untrusted sender may ask for; checked from its header, before anything is allocated for it.

/// Bounds on a picture.
public struct ImageLimits: Sendable, Equatable {
    /// The most bytes of an encoded picture.
    public var maxBytes: Int
    /// The most pixels; decoded, each takes 3 bytes, while decoding up to 9.
    public var maxPixels: Int
    /// The most pixels of a side.
    public var maxSide: Int
    /// The fewest pixels of a side. One pixel, or a line of them, is a placeholder or a tracking pixel, not a picture.
    public var minSide: Int

    /// Creates limits; the defaults admit a 50-megapixel camera's photos.
    public init(maxBytes: Int = 64 << 20, maxPixels: Int = 51_200_000, maxSide: Int = 32_768, minSide: Int = 2) {
        self.maxBytes = maxBytes
        self.maxPixels = maxPixels
        self.maxSide = maxSide
        self.minSide = minSide
    }

    /// Checks the number of bytes of an encoded or raw picture.
    func check(byteCount: Int) throws(ImageError) {
        if byteCount == 0 { throw .empty }
        if byteCount > maxBytes { throw .tooManyBytes(byteCount, limit: maxBytes) }
    }

    /// Checks declared dimensions, which may be any integers at all.
    func check(width: Int, height: Int) throws(ImageError) {
        if min(width, height) < max(minSide, 1) {
            throw .tooSmall(width: width, height: height, limit: max(minSide, 1))
        }
        if max(width, height) > maxSide { throw .tooLarge(width: width, height: height, limit: maxSide) }
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        if overflow || pixels > maxPixels { throw .tooManyPixels(width: width, height: height, limit: maxPixels) }
    }
}
