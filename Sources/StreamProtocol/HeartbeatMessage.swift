// The publisher's sign of life, by which a consumer knows when it has missed the newest assignment.

/// The last number given, on the topic `heartbeat`.
public struct HeartbeatMessage: Sendable, Equatable {
    /// Identifies the numbering: a UUID.
    public var epoch: String
    /// The number of the last assignment published; 0 where there is none yet.
    public var sequence: UInt64
    /// When it was published, nanoseconds since 1970.
    public var published: Int64

    /// Creates a message.
    public init(epoch: String, sequence: UInt64, published: Int64) {
        self.epoch = epoch
        self.sequence = sequence
        self.published = published
    }

    /// The topic of all heartbeats.
    public static let topic = "heartbeat"

    /// The message's two frames.
    public var frames: [[UInt8]] {
        let body = JSONWriter.object { body in
            body.member("v", PublishedBody.version)
            body.member("epoch", epoch)
            body.member("seq", sequence)
            body.member("t", published)
        }
        return [Array(Self.topic.utf8), body]
    }

    /// Reads the message's frames.
    ///
    /// - Throws: `MalformedMessage`.
    public init(frames: [[UInt8]]) throws(MalformedMessage) {
        let body = try PublishedBody(frames)
        guard body.topic == Self.topic else { throw body.malformed("not a heartbeat's topic") }
        epoch = try body.string("epoch")
        sequence = try body.number("seq", atLeast: 0)
        published = try body.integer("t")
    }
}
