// The cluster of one image, as it is published.
//
// Every key is always there, so that a consumer can rely on it: what the sender did not give is null, and so is a
// confidence that is no number. Only `probabilities` and the embedding's frame depend on the daemon's configuration.

/// One image's cluster, on the topic `assignment/<source>/<cluster>`.
public struct AssignmentMessage: Sendable, Equatable {
    /// Identifies the numbering: a UUID.
    public var epoch: String
    /// The assignment's number, without holes within the epoch.
    public var sequence: UInt64
    /// The source's name, matching `[A-Za-z0-9_.-]{1,64}`.
    public var source: String
    /// The sender's own name for the image.
    public var id: String?
    /// The sender's sequence number.
    public var sourceSequence: UInt64?
    /// When the image was taken, nanoseconds since 1970.
    public var taken: Int64?
    /// When the image was received, nanoseconds since 1970.
    public var received: Int64
    /// When the assignment was published, nanoseconds since 1970.
    public var published: Int64
    /// The cluster.
    public var cluster: Int
    /// The cluster's probability, in 0 ... 1.
    public var confidence: Float
    /// How many steps the weights have been trained for.
    public var step: UInt64
    /// The checkpoint that the weights descend from.
    public var model: String
    /// Changes when cluster numbers change their meaning.
    public var labelEpoch: Int
    /// The probability of every cluster.
    public var probabilities: [Float]?
    /// The embedding, sent as a third frame.
    public var embedding: [Float]?

    /// Creates a message.
    public init(
        epoch: String, sequence: UInt64, source: String, id: String? = nil, sourceSequence: UInt64? = nil,
        taken: Int64? = nil, received: Int64, published: Int64, cluster: Int, confidence: Float, step: UInt64,
        model: String, labelEpoch: Int = 0, probabilities: [Float]? = nil, embedding: [Float]? = nil
    ) {
        self.epoch = epoch
        self.sequence = sequence
        self.source = source
        self.id = id
        self.sourceSequence = sourceSequence
        self.taken = taken
        self.received = received
        self.published = published
        self.cluster = cluster
        self.confidence = confidence
        self.step = step
        self.model = model
        self.labelEpoch = labelEpoch
        self.probabilities = probabilities
        self.embedding = embedding
    }

    /// What the topics of all assignments begin with.
    public static let topicPrefix = "assignment/"

    /// The message's topic.
    public var topic: String { "\(Self.topicPrefix)\(source)/\(cluster)" }

    /// The message's two or three frames.
    public var frames: [[UInt8]] {
        let frames = [Array(topic.utf8), body]
        return embedding.map { frames + [$0.littleEndianBytes] } ?? frames
    }

    /// The message's JSON, its second frame.
    public var body: [UInt8] {
        JSONWriter.object { body in
            body.member("v", PublishedBody.version)
            body.member("epoch", epoch)
            body.member("seq", sequence)
            body.member("source", source)
            body.member("id", id)
            body.member("source_seq", sourceSequence)
            body.member("t", taken)
            body.member("t_received", received)
            body.member("t_published", published)
            body.member("cluster", cluster)
            body.member("confidence", confidence)
            body.member("step", step)
            body.member("model", model)
            body.member("label_epoch", labelEpoch)
            if let probabilities { body.member("probabilities", probabilities) }
        }
    }

    /// Reads the message's frames; a confidence or probability of null is NaN.
    ///
    /// - Throws: `MalformedMessage`.
    public init(frames: [[UInt8]]) throws(MalformedMessage) {
        try self.init(PublishedBody(frames))
        guard frames.count > 2 else { return }
        guard let embedding = [Float](littleEndianBytes: frames[2]) else {
            throw MalformedMessage(topic: topic, reason: "an embedding of \(frames[2].count) bytes")
        }
        self.embedding = embedding
    }

    /// Reads a message by its JSON alone, as it is replayed.
    ///
    /// - Throws: `MalformedMessage`.
    public init(body: [UInt8]) throws(MalformedMessage) {
        try self.init(PublishedBody([[], body]), isTopicKnown: false)
    }

    private init(_ body: PublishedBody, isTopicKnown: Bool = true) throws(MalformedMessage) {
        epoch = try body.string("epoch")
        sequence = try body.number("seq", atLeast: 1)
        source = try body.string("source")
        id = try body.optional("id", "a string", \.text)
        sourceSequence = try body.optional("source_seq", "an unsigned 64-bit integer") { $0.integer() }
        taken = try body.optional("t", "integer nanoseconds") { $0.integer() }
        received = try body.integer("t_received")
        published = try body.integer("t_published")
        cluster = try body.integer("cluster")
        confidence = try body.float("confidence")
        step = try body.integer("step")
        model = try body.string("model")
        labelEpoch = try body.integer("label_epoch")
        probabilities = try body.floats("probabilities")
        guard !isTopicKnown || body.topic == topic else {
            throw body.malformed("the body belongs to the topic \(topic)")
        }
    }
}

extension [Float] {
    /// IEEE 754 binary32, little-endian.
    fileprivate var littleEndianBytes: [UInt8] {
        map { $0.bitPattern.littleEndian }.withUnsafeBytes { [UInt8]($0) }
    }

    /// Reads `littleEndianBytes`; nil where their number is no multiple of four.
    fileprivate init?(littleEndianBytes bytes: [UInt8]) {
        guard bytes.count.isMultiple(of: 4) else { return nil }
        self = bytes.withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map { index in
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
            }
        }
    }
}
