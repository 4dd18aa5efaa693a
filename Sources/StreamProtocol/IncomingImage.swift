// An image as it arrives, whatever dialect its sender speaks: named, not yet decoded.

/// Ground truth that a sender may give; reported on, never trained on.
public enum Label: Sendable, Hashable {
    /// A label given as a JSON string.
    case text(String)
    /// A label given as a JSON integer.
    case number(Int64)
}

/// The order of the channels of raw pixels.
public enum ColorOrder: String, Sendable, CaseIterable {
    /// Red first.
    case rgb
    /// Blue first, OpenCV's order.
    case bgr
    /// One channel.
    case gray
}

/// How a payload's bytes stand for pixels.
public enum PayloadEncoding: Sendable, Equatable {
    /// A JPEG, PNG or WebP file, told from its first bytes unless the sender named the format.
    case file(format: String?)
    /// Unsigned bytes, row-major [height, width, channels].
    case raw(height: Int, width: Int, channels: Int, color: ColorOrder)
}

/// An image as it arrived at a source.
public struct IncomingImage: Sendable {
    /// The source's name, sanitised to `[A-Za-z0-9_.-]{1,64}`.
    public var source: String
    /// The sender's own name for the image.
    public var id: String?
    /// The sender's sequence number.
    public var sequence: UInt64?
    /// When the image was taken, nanoseconds since 1970.
    public var taken: Int64?
    /// When the image was received, nanoseconds since 1970.
    public var received: Int64
    /// Ground truth, if the sender gave it.
    public var label: Label?
    /// How `payload` stands for pixels.
    public var encoding: PayloadEncoding
    /// The picture's bytes.
    public var payload: [UInt8]

    /// Creates an incoming image.
    public init(
        source: String, id: String? = nil, sequence: UInt64? = nil, taken: Int64? = nil, received: Int64,
        label: Label? = nil, encoding: PayloadEncoding, payload: [UInt8]
    ) {
        self.source = source
        self.id = id
        self.sequence = sequence
        self.taken = taken
        self.received = received
        self.label = label
        self.encoding = encoding
        self.payload = payload
    }
}
