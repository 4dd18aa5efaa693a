// One source's socket: messages in, and where senders wait for them, replies out.
//
// It belongs to the Gateway's thread once that runs.

import StreamProtocol
import ZeroMQ

/// A message that arrived.
struct Arrival {
    /// What it brings.
    var content: IncomingMessage.Content
    /// Its size.
    var bytes: Int
    /// What the reply is to; nil where the sender waits for none.
    var request: Request?

    /// What there is to know for replying.
    struct Request {
        var envelope: RequestEnvelope?
        var dialect: Dialect?
    }
}

/// The socket of a source, open until `close`.
final class SourceReader {
    let settings: SourceSettings
    /// Where the socket listens or connects, its port resolved.
    let endpoint: String
    private let parser: MessageParser
    private let receiveLimits: ReceiveLimits
    private var socket: Socket?
    /// Replies that wait for `close`; nil where they are sent at once.
    private var heldReplies: [[[UInt8]]]?

    /// The bytes of one frame beyond which ZeroMQ cuts the sender off. Well above the limits, so that what is merely too
    /// large is received, rejected by name and counted.
    private static let hardFrameLimit = 128 << 20

    /// Opens the socket and binds or connects it.
    ///
    /// - Throws: `ZeroMQError` with the endpoint.
    init(
        _ settings: SourceSettings, gateway: GatewaySettings, context: ZeroMQContext, access: AccessControl
    ) throws(ZeroMQError) {
        self.settings = settings
        parser = MessageParser(
            dialect: settings.dialect, color: settings.color, limits: gateway.messageLimits,
            defaultSource: settings.name)
        receiveLimits = ReceiveLimits(
            maxFrames: gateway.messageLimits.maxFrames + RequestEnvelope.maxFrames,
            maxBytes: gateway.messageLimits.maxMessageBytes + RequestEnvelope.maxFrames * RequestEnvelope.maxFrameBytes)

        var socket = try context.socket(settings.pattern.socketKind)
        try socket.set(.receiveHighWaterMark, gateway.receiveHighWaterMark)
        try socket.set(.maxMessageSize, max(Self.hardFrameLimit, 2 * receiveLimits.maxBytes))
        try access.protect(&socket, endpoint: GatewaySettings.endpointName(ofSource: settings.name))
        switch settings.pattern {
        case .sub: try socket.set(.subscribe, [])
        case .rep: try socket.set(.routerHandover, true)
        case .pull, .pair: break
        }
        // Replies still leave when the socket is closed.
        if !settings.pattern.answers { try socket.set(.linger, .zero) }
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

    /// Whether the socket has not been closed.
    var isOpen: Bool { socket != nil }

    /// Closes the socket; what it has received and nobody has read is lost.
    func close() {
        // What cannot be sent has nobody to go to.
        for reply in heldReplies ?? [] { _ = try? socket?.trySend(reply) }
        heldReplies = nil
        socket = nil
    }

    /// Has the poller wait for messages.
    func watch(in poller: inout Poller) -> Poller.Token { poller.add(socket!, for: .readable) }

    // MARK: Messages

    /// Reads one message if one is there; nil where none is.
    func next() throws(ZeroMQError) -> Arrival? {
        switch try socket?.tryReceive(limits: receiveLimits) {
        case nil: return nil
        case .frames(var frames):
            let bytes = frames.reduce(0) { $0 + $1.count }
            let envelope = takeEnvelope(off: &frames)
            let message = parser.parse(frames: frames, received: wallClockNanoseconds())
            return arrival(message, bytes: bytes, envelope)
        case .tooLarge(let frameCount, let byteCount, var kept):
            let envelope = takeEnvelope(off: &kept)
            let detail = "\(frameCount) frames of together \(byteCount) bytes"
            return arrival(tooLarge(kept: kept, detail: detail), bytes: byteCount, envelope)
        }
    }

    private func takeEnvelope(off frames: inout [[UInt8]]) -> RequestEnvelope? {
        settings.pattern == .rep ? RequestEnvelope(takenOff: &frames) : nil
    }

    private func arrival(_ message: IncomingMessage, bytes: Int, _ envelope: RequestEnvelope?) -> Arrival {
        let request = Arrival.Request(envelope: envelope, dialect: message.dialect)
        return Arrival(content: message.content, bytes: bytes, request: settings.pattern.answers ? request : nil)
    }

    /// Rejects a message of which only the first frames were kept, in the name of its sender where they tell it.
    private func tooLarge(kept: [[UInt8]], detail: String) -> IncomingMessage {
        // The frame that was too large is in most cases the payload: an empty one in its place makes a message that the
        // parser rejects, but only after it has read who sent it.
        var message = parser.parse(frames: kept + [[]], received: wallClockNanoseconds())
        let (source, id): (String, String?) =
            switch message.content {
            case .image(let image): (image.source, image.id)
            case .end(let source): (source, nil)
            case .rejected(let rejection): (rejection.source, rejection.id)
            }
        message.content = .rejected(Rejection(source: source, id: id, reason: "too-large", detail: detail))
        return message
    }

    // MARK: Replies

    /// Replies to a request. Nobody is waited for: a reply to a sender that has gone is dropped.
    func reply(_ reply: Reply, to request: Arrival.Request) throws(ZeroMQError) {
        let port = endpoint.split(separator: ":").last.map(String.init) ?? endpoint
        let frames = (request.envelope?.frames ?? []) + [reply.frame(in: request.dialect, port: port)]
        if heldReplies == nil { _ = try socket?.trySend(frames) } else { heldReplies?.append(frames) }
    }

    /// Keeps further replies until `close`.
    ///
    /// A sender that has its reply sends the next request. Were it to send it to a socket that is about to be closed, the
    /// request would be lost, and imagezmq's sender would wait for its reply for ever. A reply that arrives together with the
    /// end of the connection leaves the next request with the sender, until there is a daemon again.
    func holdReplies() { heldReplies = heldReplies ?? [] }
}

extension SourceSettings.Pattern {
    /// The socket that receives; see `RequestEnvelope` for why it is not REP.
    fileprivate var socketKind: SocketKind {
        switch self {
        case .sub: .sub
        case .pull: .pull
        case .rep: .router
        case .pair: .pair
        }
    }
}
