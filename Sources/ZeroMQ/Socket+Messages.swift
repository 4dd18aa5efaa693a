// Whole messages in and out of a socket.
//
// A receiver of untrusted messages says how large they may be. A larger one is still read to its end, since the next
// receive would otherwise begin in its middle, but is not kept.

import CZeroMQ
import Glibc

/// How large a received message may be.
public struct ReceiveLimits: Sendable, Equatable {
    /// How many frames it may have.
    public var maxFrames: Int
    /// How many bytes its frames may have together.
    public var maxBytes: Int

    /// Creates limits; left out, 16 frames of together 64 MiB.
    public init(maxFrames: Int = 16, maxBytes: Int = 64 << 20) {
        self.maxFrames = maxFrames
        self.maxBytes = maxBytes
    }
}

/// A message as it was received.
public enum ReceivedMessage: Sendable, Equatable {
    /// A message within the limits, frame by frame.
    case frames([[UInt8]])
    /// A message that passed a limit: how many frames and bytes it had, and the frames before the limit was passed.
    case tooLarge(frameCount: Int, byteCount: Int, kept: [[UInt8]])
}

extension Socket {
    /// Sends a message of one or more frames and waits while the queue is full: `zmq_send`.
    ///
    /// - Throws: `ZeroMQError`, a timeout where `SocketOption.sendTimeout` is set and has passed.
    public mutating func send(_ frames: [[UInt8]]) throws(ZeroMQError) {
        _ = try send(frames, flags: 0)
    }

    /// Sends a message if that is possible without waiting: `zmq_send` with `ZMQ_DONTWAIT`.
    ///
    /// - Returns: false where the queue is full or nobody is connected; nothing has been sent then.
    /// - Throws: `ZeroMQError`.
    public mutating func trySend(_ frames: [[UInt8]]) throws(ZeroMQError) -> Bool {
        try send(frames, flags: ZMQ_DONTWAIT)
    }

    /// Waits for a message and receives it whole: `zmq_msg_recv`.
    ///
    /// - Throws: `ZeroMQError`, a timeout where `SocketOption.receiveTimeout` is set and has passed.
    public mutating func receive(limits: ReceiveLimits = ReceiveLimits()) throws(ZeroMQError) -> ReceivedMessage {
        guard let message = try receive(limits: limits, flags: 0) else {
            throw ZeroMQError(operation: "receive", code: EAGAIN)
        }
        return message
    }

    /// Receives a message whole if one is there: `zmq_msg_recv` with `ZMQ_DONTWAIT`.
    ///
    /// - Returns: nil where no message is there.
    /// - Throws: `ZeroMQError`.
    public mutating func tryReceive(limits: ReceiveLimits = ReceiveLimits()) throws(ZeroMQError) -> ReceivedMessage? {
        try receive(limits: limits, flags: ZMQ_DONTWAIT)
    }

    private mutating func send(_ frames: [[UInt8]], flags: Int32) throws(ZeroMQError) -> Bool {
        precondition(!frames.isEmpty, "a message has at least one frame")
        for (index, frame) in frames.enumerated() {
            let more = index + 1 < frames.count ? ZMQ_SNDMORE : 0
            // Once libzmq has taken the first frame it takes the rest: it counts messages, not frames.
            let nothingSent = index == 0 && flags != 0
            let sent = try call("send", wouldBlockIsNil: nothingSent) {
                frame.withUnsafeBytes { zmq_send(handle.pointer, $0.baseAddress, $0.count, flags | more) }
            }
            if sent == nil { return false }
        }
        return true
    }

    private mutating func receive(limits: ReceiveLimits, flags: Int32) throws(ZeroMQError) -> ReceivedMessage? {
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }

        var kept: [[UInt8]] = []
        var frameCount = 0
        var byteCount = 0
        var withinLimits = true
        repeat {
            // The frames of a message arrive together, so only the first can be missing.
            let nothingReceived = frameCount == 0 && flags != 0
            let received = try call("receive", wouldBlockIsNil: nothingReceived) {
                zmq_msg_recv(&message, handle.pointer, flags)
            }
            if received == nil { return nil }
            let size = zmq_msg_size(&message)
            frameCount += 1
            byteCount += size
            withinLimits = withinLimits && frameCount <= limits.maxFrames && byteCount <= limits.maxBytes
            if withinLimits { kept.append([UInt8](UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: size))) }
        } while zmq_msg_more(&message) != 0
        return withinLimits
            ? .frames(kept) : .tooLarge(frameCount: frameCount, byteCount: byteCount, kept: kept)
    }
}
