// What a ROUTER socket puts before a request, and wants before its reply.

/// The frames that lead a reply back to whoever sent a request.
///
/// A source answers REQ senders from a ROUTER socket, not a REP one: requests of many senders can then be under way at once,
/// and one that has gone holds up nobody. What ZeroMQ's REP does by itself is done here: the frames up to the first empty one
/// are kept and put before the reply (rfc.zeromq.org/spec/28).
struct RequestEnvelope: Sendable, Equatable {
    /// The frames that an envelope may have; each proxy on the way adds one, and REQ_CORRELATE another.
    static let maxFrames = 8
    /// The bytes that one of them may have, those of the longest routing ID.
    static let maxFrameBytes = 255

    /// The peer's routing ID first, the empty frame last.
    let frames: [[UInt8]]

    /// Takes the envelope off a message as a ROUTER socket received it. Of a DEALER that sends none, only the routing ID is
    /// taken, and its reply has none either.
    init(takenOff message: inout [[UInt8]]) {
        let length = message.dropFirst().prefix(Self.maxFrames).firstIndex(where: \.isEmpty).map { $0 + 1 }
        if let length, message[1..<length].allSatisfy({ $0.count <= Self.maxFrameBytes }) {
            frames = Array(message[..<length])
        } else {
            frames = Array(message.prefix(1))
        }
        message.removeFirst(frames.count)
    }
}
