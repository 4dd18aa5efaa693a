// How far a feed has come, and what happens to it on the way.

import Datasets
import ZeroMQ

/// How far a feed has come.
public struct FeedProgress: Sendable, Equatable {
    /// Images handed over; with REQ, answered.
    public var sent = 0
    /// Bytes of their payloads.
    public var bytes = 0
    /// Images among them that the receiver has refused, of which only REQ knows.
    public var refused = 0
    /// Images that could not be read and were left out.
    public var unreadable = 0
    /// Frames of cameras that were left out because the receiver was slower.
    public var missed = 0
    /// Videos that could not be read, or not to their ends.
    public var brokenVideos = 0
    /// How many images there are to send, where it is known.
    public var total: Int?
    /// Since the first image was handed over.
    public var elapsed = Duration.zero
    /// Why nothing moves, where nothing does.
    public var obstacle: Obstacle?

    /// Creates the progress of a feed that has not begun.
    public init() {}

    /// Why a feed waits.
    public enum Obstacle: Sendable, Equatable {
        /// Nobody is connected.
        case noReceiver
        /// Nobody subscribes to the source.
        case noSubscriber
        /// The receiver has no room, or has not answered yet.
        case receiverBusy
    }

    /// Images handed over a second.
    public var rate: Double { elapsed > .zero ? Double(sent) / (elapsed / .seconds(1)) : 0 }
}

/// What a feed tells while it runs.
public enum FeedEvent: Sendable, Equatable {
    /// An image was handed over, or a while has passed in waiting.
    case progress(FeedProgress)
    /// An image cannot be read and is left out, or the rest of a video is.
    case unreadable(DatasetError)
    /// The receiver has gone; the feed waits for it to come back.
    case connectionLost
    /// The receiver is back.
    case connectionRestored
    /// Somebody is at the endpoint who does not talk to this feed; told once.
    case handshakeFailed(HandshakeFailure)
    /// An image is sent again because its reply is missing; the receiver may get it twice, with the same number.
    case resending(id: String)
    /// The receiver has refused an image, in its own words.
    case refused(id: String, reason: String)
}
