// What is published of a message or an image that got no assignment.

/// A message that was no image, or an image that was dropped or could not be decoded, on the topic `rejected/<source>`.
public struct RejectedMessage: Sendable, Equatable {
    /// The source's name, matching `[A-Za-z0-9_.-]{1,64}`; it is in the topic alone.
    public var source: String
    /// The sender's own name for the image, where it could be read; null in the message where not.
    public var id: String?
    /// Why, as one of a fixed set of words, such as a `RejectionReason`'s.
    public var reason: String

    /// Creates a message.
    public init(source: String, id: String?, reason: String) {
        self.source = source
        self.id = id
        self.reason = reason
    }

    /// What the topics of all rejections begin with.
    public static let topicPrefix = "rejected/"

    /// The message's topic.
    public var topic: String { Self.topicPrefix + source }

    /// The message's two frames.
    public var frames: [[UInt8]] {
        let body = JSONWriter.object { body in
            body.member("v", PublishedBody.version)
            body.member("id", id)
            body.member("reason", reason)
        }
        return [Array(topic.utf8), body]
    }

    /// Reads the message's frames.
    ///
    /// - Throws: `MalformedMessage`.
    public init(frames: [[UInt8]]) throws(MalformedMessage) {
        let body = try PublishedBody(frames)
        guard body.topic.hasPrefix(Self.topicPrefix) else { throw body.malformed("not a rejection's topic") }
        source = String(body.topic.dropFirst(Self.topicPrefix.count))
        id = try body.optional("id", "a string", \.text)
        reason = try body.string("reason")
    }
}
