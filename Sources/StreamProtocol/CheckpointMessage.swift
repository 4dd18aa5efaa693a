// The announcement of a checkpoint that can be fetched.

/// A checkpoint, on the topic `checkpoint`: published when it has been written, and again now and then.
public struct CheckpointMessage: Sendable, Equatable {
    /// The checkpoint's name, such as `step-000001200`.
    public var id: String
    /// How many steps its weights have been trained for.
    public var step: UInt64
    /// The file's size in bytes.
    public var byteCount: UInt64
    /// The file's SHA-256, 64 lower-case hexadecimal digits.
    public var sha256: String
    /// When it was written, nanoseconds since 1970.
    public var written: Int64
    /// Changes when cluster numbers change their meaning.
    public var labelEpoch: Int
    /// A label for each cluster, nil for one without; empty where clusters have none.
    public var labels: [Label?]
    /// The share of the remembered images that changed cluster since the checkpoint before; nil where that is not known.
    public var churn: Double?

    /// Creates a message.
    public init(
        id: String, step: UInt64, byteCount: UInt64, sha256: String, written: Int64, labelEpoch: Int = 0,
        labels: [Label?] = [], churn: Double? = nil
    ) {
        self.id = id
        self.step = step
        self.byteCount = byteCount
        self.sha256 = sha256
        self.written = written
        self.labelEpoch = labelEpoch
        self.labels = labels
        self.churn = churn
    }

    /// The topic of all announcements.
    public static let topic = "checkpoint"

    /// The message's two frames.
    public var frames: [[UInt8]] {
        let body = JSONWriter.object { body in
            body.member("v", PublishedBody.version)
            body.member("id", id)
            body.member("step", step)
            body.member("bytes", byteCount)
            body.member("sha256", sha256)
            body.member("t", written)
            body.member("label_epoch", labelEpoch)
            body.member("labels", labels)
            body.member("churn", churn)
        }
        return [Array(Self.topic.utf8), body]
    }

    /// Reads the message's frames.
    ///
    /// - Throws: `MalformedMessage`.
    public init(frames: [[UInt8]]) throws(MalformedMessage) {
        let body = try PublishedBody(frames)
        guard body.topic == Self.topic else { throw body.malformed("not a checkpoint's topic") }
        id = try body.string("id")
        step = try body.integer("step")
        byteCount = try body.integer("bytes")
        sha256 = try body.string("sha256")
        written = try body.integer("t")
        labelEpoch = try body.integer("label_epoch")
        churn = try body.optional("churn", "a number", \.double)
        labels = try body.required("labels", "an array of strings, integers and nulls") { json in
            guard let elements = json.elements else { return nil }
            let labels = elements.map { Label(json: $0) }
            return zip(labels, elements).allSatisfy { $0 != nil || $1 == .null } ? labels : nil
        }
    }
}
