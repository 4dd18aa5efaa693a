// What the daemon publishes, as a subscriber receives it: told apart by topic, and what all of its messages share.

/// A message from the daemon's publisher.
public enum PublishedMessage: Sendable, Equatable {
    /// An image's cluster.
    case assignment(AssignmentMessage)
    /// A message or image that got no assignment.
    case rejected(RejectedMessage)
    /// The sign of life, with the last number given.
    case heartbeat(HeartbeatMessage)
    /// A checkpoint that can be fetched.
    case checkpoint(CheckpointMessage)
    /// Cluster numbers have another meaning from now on.
    case relabeling(RelabelingMessage)
    /// A topic that this version does not know.
    case other(topic: String)

    /// Reads a message.
    ///
    /// - Throws: `MalformedMessage` where the topic is known and the rest is not what belongs to it.
    public init(frames: [[UInt8]]) throws(MalformedMessage) {
        let topic = frames.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        if topic.hasPrefix(AssignmentMessage.topicPrefix) {
            self = .assignment(try AssignmentMessage(frames: frames))
        } else if topic.hasPrefix(RejectedMessage.topicPrefix) {
            self = .rejected(try RejectedMessage(frames: frames))
        } else if topic == HeartbeatMessage.topic {
            self = .heartbeat(try HeartbeatMessage(frames: frames))
        } else if topic == CheckpointMessage.topic {
            self = .checkpoint(try CheckpointMessage(frames: frames))
        } else if topic == RelabelingMessage.topic {
            self = .relabeling(try RelabelingMessage(frames: frames))
        } else {
            self = .other(topic: topic)
        }
    }
}

/// A published message that is not what its topic promises.
public struct MalformedMessage: Error, Sendable, Equatable, CustomStringConvertible {
    /// The message's topic.
    public let topic: String
    /// What is wrong.
    public let reason: String

    /// Creates an error.
    public init(topic: String, reason: String) {
        self.topic = topic
        self.reason = reason
    }

    /// One line for a log.
    public var description: String { "malformed message \(topic.debugDescription): \(reason)" }
}

/// A published message's topic and body while it is being read.
struct PublishedBody {
    let topic: String
    private let members: [String: JSON]

    /// The version of the published messages.
    static let version = 1

    /// Splits a message of at least two frames and parses the second.
    init(_ frames: [[UInt8]]) throws(MalformedMessage) {
        topic = frames.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        guard frames.count >= 2 else { throw MalformedMessage(topic: topic, reason: "\(frames.count) frames") }
        let json: JSON
        do throws(JSONSyntaxError) {
            json = try JSON(parsing: frames[1])
        } catch {
            throw MalformedMessage(topic: topic, reason: "not JSON: \(error)")
        }
        guard case .object(let members) = json else {
            throw MalformedMessage(topic: topic, reason: "the body is not an object")
        }
        self.members = members
        guard members["v"]?.integer() == Self.version else { throw malformed("v is not \(Self.version)") }
    }

    /// The error that says `reason` of this message.
    func malformed(_ reason: String) -> MalformedMessage { MalformedMessage(topic: topic, reason: reason) }

    func string(_ key: String) throws(MalformedMessage) -> String { try required(key, "a string", \.text) }

    func integer<Value: FixedWidthInteger>(_ key: String) throws(MalformedMessage) -> Value {
        try required(key, "an integer in range") { $0.integer() }
    }

    /// The number of an assignment. No daemon gets to UInt64.max, which would have no successor.
    func number(_ key: String, atLeast least: UInt64) throws(MalformedMessage) -> UInt64 {
        try required(key, "an integer of at least \(least)") { json in
            json.integer().flatMap { (least..<UInt64.max).contains($0) ? $0 : nil }
        }
    }

    func required<Value>(
        _ key: String, _ expected: String, _ read: (JSON) -> Value?
    ) throws(MalformedMessage) -> Value {
        do throws(JSONKeyError) {
            return try members.required(key, expected, read)
        } catch {
            throw malformed(error.description)
        }
    }

    func optional<Value>(
        _ key: String, _ expected: String, _ read: (JSON) -> Value?
    ) throws(MalformedMessage) -> Value? {
        do throws(JSONKeyError) {
            return try members.optional(key, expected, read)
        } catch {
            throw malformed(error.description)
        }
    }

    /// An optional array of numbers, in which null is NaN.
    func floats(_ key: String) throws(MalformedMessage) -> [Float]? {
        try optional(key, "an array of numbers") { json in
            guard let elements = json.elements else { return nil }
            let values = elements.compactMap(\.float)
            return values.count == elements.count ? values : nil
        }
    }

    /// A number that null, or its absence, makes NaN.
    func float(_ key: String) throws(MalformedMessage) -> Float {
        try optional(key, "a number", \.float) ?? .nan
    }
}
