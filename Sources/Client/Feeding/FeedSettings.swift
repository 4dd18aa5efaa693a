// How images are sent: the options of `clusterd feed` that concern the wire, checked before anything starts.

import StreamProtocol
import ZeroMQ

/// How a feeder sends.
public struct FeedSettings: Sendable, Equatable {
    /// The pattern of the feeder's socket.
    public enum Pattern: String, Sendable, CaseIterable {
        /// PUSH: waits while the receiver has no room.
        case push
        /// PUB: to all subscribers.
        case pub
        /// REQ: each image is answered before the next is sent.
        case req

        /// Where `clusterd serve` receives this pattern unless it is told otherwise; for `req` it must be told.
        public var defaultEndpoint: String {
            switch self {
            case .push, .req: "tcp://127.0.0.1:5556"
            case .pub: "tcp://127.0.0.1:5555"
            }
        }
    }

    /// A setting that cannot be used.
    public struct Invalid: Error, Equatable, CustomStringConvertible {
        /// The setting, what is wrong with it, and what would do.
        public let description: String
    }

    /// The pattern.
    public let pattern: Pattern
    /// Where the receiver is, or where the feeder listens.
    public let endpoint: String
    /// Whether the feeder listens and the receiver connects.
    public let binds: Bool
    /// The source's name in every message.
    public let source: String
    /// Images a second; nil is as fast as they are taken, and frames of a video file as `playsVideos` says.
    public let rate: Double?
    /// Whether frames of a video file are sent when they are due, where no rate is given, and not as fast as they are taken.
    public let playsVideos: Bool
    /// How long to wait for a receiver that is not there, for a reply, and for the last images to leave.
    public let timeout: Duration
    /// The keys; nil is without encryption.
    public let curve: CurveClient?

    /// Checks and keeps settings.
    ///
    /// - Parameter endpoint: nil is the pattern's default.
    /// - Throws: `Invalid` for a name, a rate or a timeout that cannot be, and for a feeder that listens and has keys.
    public init(
        pattern: Pattern = .push, endpoint: String? = nil, binds: Bool = false, source: String = "feed",
        rate: Double? = nil, playsVideos: Bool = true, timeout: Duration = .seconds(30), curve: CurveClient? = nil
    ) throws(Invalid) {
        guard SourceName.isValid(source) else {
            throw Invalid(description: "a source's name has 1 to 64 of A-Z a-z 0-9 _ . -, which '\(source)' has not")
        }
        guard rate.map({ $0 > 0 && $0 <= 1e6 }) ?? true else {
            throw Invalid(description: "a rate is more than 0 and at most 1000000 images a second")
        }
        guard timeout > .zero, timeout <= .seconds(86_400) else {
            throw Invalid(description: "a timeout is more than 0 and at most 86400 seconds")
        }
        guard curve == nil || !binds else {
            throw Invalid(description: "a feed that listens cannot be encrypted: it would have to say who may connect")
        }
        self.pattern = pattern
        self.endpoint = endpoint ?? pattern.defaultEndpoint
        self.binds = binds
        self.source = source
        self.rate = rate
        self.playsVideos = playsVideos
        self.timeout = timeout
        self.curve = curve
    }
}
