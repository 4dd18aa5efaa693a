// Why bytes cannot be made a picture: one word for machines, one sentence for people.

/// A file format that can be decoded.
public enum ImageFormat: String, Sendable, CaseIterable {
    /// ITU-T T.81, baseline and progressive.
    case jpeg
    /// ISO/IEC 15948.
    case png
    /// Lossy and lossless WebP, not animated.
    case webp
}

/// Why a picture was refused.
public enum ImageError: Error, Sendable, Equatable {
    /// There are no bytes.
    case empty
    /// Neither a JPEG nor a PNG nor a WebP file, by its first bytes.
    case notAnImage
    /// More bytes than allowed.
    case tooManyBytes(Int, limit: Int)
    /// A side has too few pixels.
    case tooSmall(width: Int, height: Int, limit: Int)
    /// A side has too many pixels.
    case tooLarge(width: Int, height: Int, limit: Int)
    /// Too many pixels altogether.
    case tooManyPixels(width: Int, height: Int, limit: Int)
    /// The file ends before the picture does.
    case truncated(ImageFormat)
    /// The file contradicts its format.
    case corrupt(ImageFormat, detail: String)
    /// An animation, of which no frame stands for the whole.
    case animated(ImageFormat)
    /// Raw bytes are not as many as their shape says.
    case shapeMismatch(expected: Int, actual: Int)
    /// Raw pixels with a number of channels that their order does not have.
    case unsupportedChannels(Int)

    /// The word for machines, such as `truncated-jpeg`: lower case with hyphens, stable.
    public var reason: String {
        switch self {
        case .empty: "empty"
        case .notAnImage: "not-an-image"
        case .tooManyBytes: "too-many-bytes"
        case .tooSmall: "too-small"
        case .tooLarge: "too-large"
        case .tooManyPixels: "too-many-pixels"
        case .truncated(let format): "truncated-\(format.rawValue)"
        case .corrupt(let format, _): "corrupt-\(format.rawValue)"
        case .animated(let format): "animated-\(format.rawValue)"
        case .shapeMismatch: "shape-mismatch"
        case .unsupportedChannels: "unsupported-channels"
        }
    }
}

extension ImageError: CustomStringConvertible {
    /// One sentence for people.
    public var description: String {
        switch self {
        case .empty: "the picture has no bytes"
        case .notAnImage: "the first bytes are neither those of a JPEG nor of a PNG nor of a WebP file"
        case .tooManyBytes(let count, let limit): "\(count) bytes, of which at most \(limit) are allowed"
        case .tooSmall(let width, let height, let limit):
            "\(width) x \(height) pixels, but each side must have at least \(limit)"
        case .tooLarge(let width, let height, let limit):
            "\(width) x \(height) pixels, but a side may have at most \(limit)"
        case .tooManyPixels(let width, let height, let limit):
            "\(width) x \(height) pixels, of which at most \(limit) are allowed"
        case .truncated(let format): "the \(format.rawValue) file ends before the picture does"
        case .corrupt(let format, let detail): "the \(format.rawValue) file is damaged: \(detail)"
        case .animated(let format): "the \(format.rawValue) file is an animation; send its frames one by one"
        case .shapeMismatch(let expected, let actual): "the shape asks for \(expected) bytes, but there are \(actual)"
        case .unsupportedChannels(let channels): "\(channels) channels are not a form of raw pixels that is understood"
        }
    }
}
