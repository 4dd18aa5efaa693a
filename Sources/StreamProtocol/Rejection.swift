// Why a message is no image: a fixed set of words for machines, and a detail for the log.
//
// The words are part of the public interface: they appear in `rejected/` messages and as labels of counters. The detail may
// quote the sender and stays in the log.

/// Why a message was rejected before its payload was looked at; the raw value is the word that consumers see.
public enum RejectionReason: String, Sendable, CaseIterable {
    /// The message has fewer or more frames than its dialect.
    case frameCount = "frame-count"
    /// The frames together have more bytes than a message may have.
    case tooLarge = "too-large"
    /// The header has more bytes than a header may have.
    case headerTooLarge = "header-too-large"
    /// The header is not JSON, not UTF-8, or nested too deep.
    case headerNotJSON = "header-not-json"
    /// The header is JSON, but not an object.
    case headerNotObject = "header-not-object"
    /// The dialect is to be told from the message, and its header has none of the keys that tell it.
    case unknownDialect = "unknown-dialect"
    /// The header's `v` is missing or not a version that is spoken here.
    case unsupportedVersion = "unsupported-version"
    /// A key that must be there is missing.
    case missingKey = "missing-key"
    /// A key's value is of the wrong type or out of range.
    case invalidKey = "invalid-key"
    /// `format` names none of the known formats.
    case unknownFormat = "unknown-format"
    /// The payload has no bytes.
    case emptyPayload = "empty-payload"
    /// The raw pixels are not unsigned bytes.
    case unsupportedDtype = "unsupported-dtype"
    /// `shape` is not two or three positive integers, or has other than 1, 3 or 4 channels.
    case invalidShape = "invalid-shape"
    /// `color` is none of the known orders, or contradicts the number of channels.
    case invalidColor = "invalid-color"
    /// The raw picture is narrower or lower than a picture must be.
    case tooSmall = "too-small"
    /// The raw picture is wider, higher or has more pixels than a picture may.
    case tooManyPixels = "too-many-pixels"
    /// The payload does not have as many bytes as `shape` says.
    case shapeMismatch = "shape-mismatch"
}

/// A message that is no image, named as far as it could be read.
public struct Rejection: Error, Sendable, Equatable {
    /// The source's name, sanitised; the socket's name where the message does not tell it.
    public var source: String
    /// The sender's own name for the image.
    public var id: String?
    /// One of a fixed set of words: a `RejectionReason`, or the word of whoever else rejects.
    public var reason: String
    /// What was found, for the log.
    public var detail: String

    /// Creates a rejection.
    public init(source: String, id: String?, reason: String, detail: String) {
        self.source = source
        self.id = id
        self.reason = reason
        self.detail = detail
    }
}
