// A decoded picture: the form in which images travel from the decoder to the learner.

/// An 8-bit RGB picture.
public struct RGBImage: Sendable, Equatable {
    /// Width in pixels, at least 1.
    public let width: Int
    /// Height in pixels, at least 1.
    public let height: Int
    /// Row-major [height, width, 3], red first.
    public let pixels: [UInt8]

    /// Creates a picture; `pixels` must hold `width * height * 3` bytes.
    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0 && pixels.count == width * height * 3)
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// Creates a picture whose bytes [height, width, 3] `fill` writes in one go.
    init(width: Int, height: Int, fill: (UnsafeMutableBufferPointer<UInt8>) -> Void) {
        let count = width * height * 3
        self.init(
            width: width, height: height,
            pixels: [UInt8](unsafeUninitializedCapacity: count) { out, written in
                fill(UnsafeMutableBufferPointer(rebasing: out[..<count]))
                written = count
            })
    }
}
