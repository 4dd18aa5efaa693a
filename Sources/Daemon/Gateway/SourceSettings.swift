// Where images come from: one socket that the Gateway reads, as the configuration describes it.
//
// A source here is a socket. The cameras and crawlers behind it name themselves in their messages.

import StreamProtocol

/// One socket that images arrive at.
public struct SourceSettings: Sendable, Equatable {
    /// Which side waits for the other.
    public enum Role: String, Sendable, CaseIterable {
        /// clusterd listens, senders connect.
        case bind
        /// The sender listens, clusterd connects and reconnects.
        case connect
    }

    /// The socket's ZeroMQ pattern.
    public enum Pattern: String, Sendable, CaseIterable {
        /// SUB, from PUB senders: at most once, as ZeroMQ gives it.
        case sub
        /// PULL, from PUSH senders: admitted or pushed back.
        case pull
        /// REP, to any number of REQ senders: each image is answered once it has been admitted.
        case rep
        /// PAIR, to one sender at a time: each image is answered once it has been admitted.
        case pair

        /// Whether senders wait for a reply.
        var answers: Bool { self == .rep || self == .pair }

        /// What to do with a full queue unless somebody says otherwise: senders expect to wait, but for a PUB sender, which
        /// cannot be held up.
        package var usualOverload: Overload { self == .sub ? .dropOldest : .block }
    }

    /// What happens to an image that arrives while the source's queue is full.
    public enum Overload: String, Sendable, CaseIterable {
        /// The socket is not read until there is room, so that a PUSH sender waits, and a REQ or PAIR sender for its reply.
        case block
        /// Of the sender that has most waiting, the image that has waited longest is dropped.
        case dropOldest = "drop-oldest"
        /// Of the sender that has most waiting, the image that has come last is dropped.
        case dropNewest = "drop-newest"
    }

    /// The source's name in the configuration, and the name of images whose sender gives none.
    public var name: String
    /// A ZeroMQ endpoint such as `tcp://127.0.0.1:5555`.
    public var endpoint: String
    /// Whether to bind or to connect.
    public var role: Role
    /// The socket's pattern.
    public var pattern: Pattern
    /// The dialect that the senders speak.
    public var dialect: Dialect
    /// What to do when images come faster than they are taken.
    public var overload: Overload
    /// The channel order of raw pixels whose sender does not declare it.
    public var color: ColorOrder
    /// The keys.
    public var curve: CurveSettings

    /// Whether images wait with their sender until training has a place for each. A sender that waits for replies is not held
    /// up by that: its reply says that an image has been admitted, and some give up after seconds.
    package var waitsForTraining: Bool { overload == .block && !pattern.answers }

    /// Creates a source; what is left out is what the `stream` source has by default.
    public init(
        name: String, endpoint: String, role: Role = .bind, pattern: Pattern = .sub, dialect: Dialect = .auto,
        overload: Overload = .dropOldest, color: ColorOrder = .bgr, curve: CurveSettings = CurveSettings()
    ) {
        self.name = name
        self.endpoint = endpoint
        self.role = role
        self.pattern = pattern
        self.dialect = dialect
        self.overload = overload
        self.color = color
        self.curve = curve
    }
}
