// What the three ways of handing images over have in common.

import ZeroMQ

/// Hands messages over to a receiver, by one pattern.
protocol FeedLink: AnyObject {
    /// Waits until `message` can be handed over, and does so.
    ///
    /// - Parameter id: the image's name, for messages.
    /// - Returns: false where the stop signal came first; the message has not been handed over then, or its reply is missing.
    func send(_ message: [[UInt8]], id: String) throws(FeedError) -> Bool

    /// Sees to it that what was handed over leaves, and closes.
    ///
    /// - Parameter patience: how long that may take.
    func finish(patience: Duration) throws(FeedError)
}

/// What a link tells while it waits.
enum LinkEvent {
    case waiting(FeedProgress.Obstacle)
    case connectionLost
    case connectionRestored
    case handshakeFailed(HandshakeFailure)
    case resending(id: String)
    case refused(id: String, reason: String)
}
