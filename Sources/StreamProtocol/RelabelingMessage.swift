// What becomes of cluster numbers when the daemon takes in another model.

/// A new meaning of cluster numbers, on the topic `relabeling`: published before the first assignment that has it.
public struct RelabelingMessage: Sendable, Equatable {
    /// The label epoch that begins.
    public var labelEpoch: Int
    /// The label epoch that ends.
    public var previousLabelEpoch: Int
    /// The model's checkpoint, by its name.
    public var model: String
    /// For each cluster of the old model the cluster of the new one that has its images, no two the same; nil where no
    /// remembered image tells.
    public var map: [Int?]
    /// The share of the remembered images that the map holds for, in 0 ... 1; nil without such images.
    public var agreement: Double?
    /// How many remembered images both models were asked about.
    public var images: Int
    /// When it was published, nanoseconds since 1970.
    public var published: Int64

    /// Creates a message.
    public init(
        labelEpoch: Int, previousLabelEpoch: Int, model: String, map: [Int?], agreement: Double?, images: Int,
        published: Int64
    ) {
        self.labelEpoch = labelEpoch
        self.previousLabelEpoch = previousLabelEpoch
        self.model = model
        self.map = map
        self.agreement = agreement
        self.images = images
        self.published = published
    }

    /// The topic.
    public static let topic = "relabeling"

    /// What the message says, as JSON.
    package var members: [String: JSON] {
        [
            "label_epoch": JSON(labelEpoch), "previous_label_epoch": JSON(previousLabelEpoch), "model": .string(model),
            "map": .array(map.map { $0.map { JSON($0) } ?? .null }), "agreement": agreement.map { JSON($0) } ?? .null,
            "images": JSON(images), "t": JSON(published),
        ]
    }

    /// The message's two frames.
    public var frames: [[UInt8]] { [Array(Self.topic.utf8), Array(body.utf8)] }

    /// The second frame as text: what a checkpoint of the label epoch carries.
    public var body: String {
        let bytes = JSONWriter.object { body in
            body.member("v", PublishedBody.version)
            for (key, value) in members.sorted(by: { $0.key < $1.key }) { body.member(key, value) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads what `body` gave; nil for any other text.
    public init?(body: String) {
        guard let message = try? RelabelingMessage(frames: [Array(Self.topic.utf8), Array(body.utf8)]) else {
            return nil
        }
        self = message
    }

    /// Reads the message's frames.
    ///
    /// - Throws: `MalformedMessage`.
    public init(frames: [[UInt8]]) throws(MalformedMessage) {
        let body = try PublishedBody(frames)
        guard body.topic == Self.topic else { throw body.malformed("not a relabeling's topic") }
        labelEpoch = try body.integer("label_epoch")
        previousLabelEpoch = try body.integer("previous_label_epoch")
        model = try body.string("model")
        map = try body.required("map", "an array of integers and nulls") { json in
            guard let elements = json.elements else { return nil }
            let clusters = elements.map { $0.integer(as: Int.self) }
            return zip(clusters, elements).allSatisfy { $0 != nil || $1 == .null } ? clusters : nil
        }
        agreement = try body.optional("agreement", "a number", \.double)
        images = try body.integer("images")
        published = try body.integer("t")
    }
}
