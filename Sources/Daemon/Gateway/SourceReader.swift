// One source's socket: messages in, images or rejections out.
//
// It belongs to the Gateway's thread once that runs.

import StreamProtocol
import ZeroMQ

/// What came of one message.
enum Arrival {
    /// An image, and the size of its message in bytes.
    case image(IncomingImage, bytes: Int)
    /// A message that is no image, and its size in bytes.
    case rejected(Rejection, bytes: Int)
}

/// The socket of a source, open until `close`.
final class SourceReader {
    let settings: SourceSettings
    /// Where the socket listens or connects, its port resolved.
    let endpoint: String
    private let parser: MessageParser
    private let receiveLimits: ReceiveLimits
    private var socket: Socket?

    /// The bytes of one frame beyond which ZeroMQ cuts the sender off. Well above the limits, so that what is merely too
    /// large is received, rejected by name and counted.
    private static let hardFrameLimit = 128 << 20

    /// Opens the socket and binds or connects it.
    ///
    /// - Throws: `ZeroMQError` with the endpoint.
    init(_ settings: SourceSettings, gateway: GatewaySettings, context: ZeroMQContext) throws(ZeroMQError) {
        self.settings = settings
        parser = MessageParser(
            dialect: settings.dialect, color: settings.color, limits: gateway.messageLimits,
            defaultSource: settings.name)
        receiveLimits = ReceiveLimits(
            maxFrames: gateway.messageLimits.maxFrames, maxBytes: gateway.messageLimits.maxMessageBytes)

        var socket = try context.socket(settings.pattern == .sub ? .sub : .pull)
        try socket.set(.receiveHighWaterMark, gateway.receiveHighWaterMark)
        try socket.set(.maxMessageSize, max(Self.hardFrameLimit, 2 * receiveLimits.maxBytes))
        try socket.set(.linger, .zero)
        try socket.set(.tcpKeepalive, true)
        if settings.pattern == .sub { try socket.set(.subscribe, []) }
        switch settings.role {
        case .bind: endpoint = try socket.bind(settings.endpoint)
        case .connect:
            try socket.set(.reconnectInterval, .milliseconds(100))
            try socket.set(.maxReconnectInterval, .seconds(5))
            try socket.connect(settings.endpoint)
            endpoint = settings.endpoint
        }
        self.socket = consume socket
    }

    /// Closes the socket; what it has received and nobody has read is lost.
    func close() { socket = nil }

    /// Has the poller wait for messages.
    func watch(in poller: inout Poller) -> Poller.Token { poller.add(socket!, for: .readable) }

    /// Reads one message if one is there; nil where none is.
    func next() throws(ZeroMQError) -> Arrival? {
        guard let message = try socket?.tryReceive(limits: receiveLimits) else { return nil }
        switch message {
        case .frames(let frames):
            let bytes = frames.reduce(0) { $0 + $1.count }
            switch parser.parse(frames: frames, received: wallClockNanoseconds()) {
            case .success(let image): return .image(image, bytes: bytes)
            case .failure(let rejection): return .rejected(rejection, bytes: bytes)
            }
        case .tooLarge(let frameCount, let byteCount, let kept):
            let detail = "\(frameCount) frames of together \(byteCount) bytes"
            return .rejected(tooLarge(kept: kept, detail: detail), bytes: byteCount)
        }
    }

    /// Rejects a message of which only the first frames were kept, in the name of its sender where they tell it.
    private func tooLarge(kept: [[UInt8]], detail: String) -> Rejection {
        // The frame that was too large is in most cases the payload: an empty one in its place makes a message that the
        // parser rejects, but only after it has read who sent it.
        switch parser.parse(frames: kept + [[]], received: wallClockNanoseconds()) {
        case .success(let image):
            Rejection(source: image.source, id: image.id, reason: "too-large", detail: detail)
        case .failure(let rejection):
            Rejection(source: rejection.source, id: rejection.id, reason: "too-large", detail: detail)
        }
    }
}
