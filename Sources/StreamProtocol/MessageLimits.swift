// What an arriving message may declare and weigh: checked before anything of it is decoded.

/// Limits for messages from senders that may be broken or hostile.
public struct MessageLimits: Sendable, Equatable {
    /// Frames of a message that is received at all; more than any dialect has, so that a miscount is rejected by that name.
    public var maxFrames: Int
    /// Bytes of all frames together; an uncompressed 4K picture has 25 million.
    public var maxMessageBytes: Int
    /// Bytes of the header.
    public var maxHeaderBytes: Int
    /// Pixels that the header of a raw picture may declare.
    public var maxPixels: Int
    /// Width and height that the header of a raw picture may declare, in pixels.
    public var maxSide: Int
    /// Width and height that a raw picture must at least have, in pixels.
    public var minSide: Int

    /// Creates limits; what is left out has its default.
    public init(
        maxFrames: Int = 16, maxMessageBytes: Int = 64 << 20, maxHeaderBytes: Int = 64 << 10,
        maxPixels: Int = 51_200_000,
        maxSide: Int = 32_768, minSide: Int = 2
    ) {
        self.maxFrames = maxFrames
        self.maxMessageBytes = maxMessageBytes
        self.maxHeaderBytes = maxHeaderBytes
        self.maxPixels = maxPixels
        self.maxSide = maxSide
        self.minSide = minSide
    }
}
