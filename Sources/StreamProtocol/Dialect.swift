// The ways in which senders write an image as ZeroMQ frames.

/// How a source's senders speak.
public enum Dialect: String, Sendable, CaseIterable {
    /// Told anew for every message, by its number of frames and its header's keys.
    case auto
    /// clusterd's own: three frames, source name, header and payload.
    case clusterd
    /// That of imagezmq's ImageSender: two frames, header and payload.
    case imagezmq
    /// That of vidgear's NetGear: two frames, header and payload, and one that ends the stream.
    case netgear
}
