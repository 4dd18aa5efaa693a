// What comes over sockets to the daemon: messages of every dialect, JSON, control requests.

import Daemon
import Imaging
import StreamProtocol
import ZeroMQ

extension FuzzTarget {
    private static let headerTokens = [
        #"{"v":1,"#, #""id":"#, #""seq":"#, #""t":"#, #""label":"#, #""format":"raw""#, #""format":"jpeg""#,
        #""shape":[2,3,3]"#, #""shape":[4294967296,4294967296,3]"#, #""dtype":"uint8""#, #""color":"gray""#,
        #""color":"rgb""#, #""msg":"#, #""terminate_flag":false"#, #""terminate_flag":true"#, #""compression":"#,
        #""message":"#, #""port":"#, "null", "true", "NaN", "Infinity", #""\ud800\u0000""#, "\u{1E}", ",", "\u{FEFF}",
    ]

    /// A message as a source with senders of `dialect` receives it.
    static func messages(_ dialect: Dialect, share: Double) -> FuzzTarget {
        let limits = MessageLimits(
            maxMessageBytes: 32 << 10, maxHeaderBytes: 8 << 10, maxPixels: 10_000, maxSide: 5_000)
        let parser = MessageParser(dialect: dialect, color: .bgr, limits: limits, defaultSource: "door")
        let rereader = MessageParser(dialect: .clusterd, color: .bgr, limits: MessageLimits(), defaultSource: "door")
        let decoder = ImageDecoder()
        return FuzzTarget(dialect.rawValue, share: share, tokens: headerTokens) { input in
            let message = parser.parse(frames: frames(of: input), received: 77)
            try require(message.dialect != .auto, "the dialect of a message is never auto")
            let spoken = message.dialect.map(\.rawValue) ?? "no dialect"
            switch message.content {
            case .end(let source):
                try require(SourceName.isValid(source), "the source \(source.debugDescription)")
                return "end \(spoken)"
            case .rejected(let rejection):
                try require(SourceName.isValid(rejection.source), "the source \(rejection.source.debugDescription)")
                try require(RejectionReason(rawValue: rejection.reason) != nil, "the reason \(rejection.reason)")
                try require(!rejection.detail.isEmpty, "a rejection without a detail")
                let reply = Reply.refused(reason: rejection.reason, detail: rejection.detail)
                try require(Reply(frame: reply.frame(in: .clusterd, port: "1")) == reply, "the reply \(reply)")
                return "\(rejection.reason) \(spoken) \(rejection.id != nil)"
            case .image(let image):
                try require(SourceName.isValid(image.source), "the source \(image.source.debugDescription)")
                try checkRaw(image, decoder)
                let written = ImageMessage(
                    source: image.source, id: image.id, sequence: image.sequence, taken: image.taken,
                    label: image.label, encoding: image.encoding, payload: image.payload)
                guard case .image(let again) = rereader.parse(frames: written.frames, received: 77).content else {
                    throw FuzzFault(description: "an image that is refused when it is written anew: \(written)")
                }
                let reread = ImageMessage(
                    source: again.source, id: again.id, sequence: again.sequence, taken: again.taken,
                    label: again.label, encoding: again.encoding, payload: again.payload)
                try require(reread == written, "\(written) became \(reread)")
                let isNamed = (image.id != nil, image.sequence != nil, image.label != nil)
                return "image \(spoken) \(kind(of: image.encoding)) \(isNamed)"
            }
        }
    }

    private static func kind(of encoding: PayloadEncoding) -> String {
        switch encoding {
        case .file(let format): format ?? "file"
        case .raw(_, _, let channels, let color): "raw \(channels) \(color)"
        }
    }

    /// What the parser lets through, the decoder takes.
    private static func checkRaw(_ image: IncomingImage, _ decoder: ImageDecoder) throws {
        guard case .raw(let height, let width, let channels, let color) = image.encoding else { return }
        let order: ImageDecoder.ChannelOrder =
            switch color {
            case .rgb: .rgb
            case .bgr: .bgr
            case .gray: .gray
            }
        let picture = try decoder.raw(
            image.payload, height: height, width: width, channels: channels, order: order)
        try require(picture.width == width && picture.height == height, "raw pixels of another size")
    }

    /// A JSON document: what is read and written reads the same again.
    static func json(share: Double) -> FuzzTarget {
        FuzzTarget("json", share: share, tokens: headerTokens) { input in
            do {
                let text = written(try JSON(parsing: input))
                try require(written(try JSON(parsing: text)) == text, "\(String(decoding: text, as: UTF8.self))")
                return "JSON \(text.first ?? 0)"
            } catch let error as JSONSyntaxError {
                try require((0...input.count).contains(error.offset), "\(error) of \(input.count) bytes")
                return error.reason
            }
        }
    }

    private static func written(_ json: JSON) -> [UInt8] {
        var writer = JSONWriter()
        json.write(to: &writer)
        return writer.bytes
    }

    /// A message as the control endpoint's ROUTER socket receives it, by way of the routing table.
    static func control(share: Double) -> FuzzTarget {
        final class Replies { var all: [[[UInt8]]] = [] }
        nonisolated(unsafe) let replies = Replies()
        // Its lanes are not started: what is in order waits, as many as they take.
        let desk = ControlDesk(
            operations: ["status", "save", "replay", "fetch", "reload", "pause"].map { name in
                ControlOperation(name, lane: .state) { _ in ControlReply() }
            },
            reply: { replies.all.append($0) })
        let tokens = headerTokens + [#"{"op":"#, #""replay""#, #""from":"#, #""limit":"#, #""epoch":"#, #""offset":"#]
        return FuzzTarget("control", share: share, tokens: tokens) { input in
            let message = frames(of: input)
            replies.all = []
            desk.take(.frames(message))
            try require(replies.all.count <= 1, "\(replies.all.count) replies")
            if let reply = replies.all.first {
                try require(reply.dropLast() == message.prefix(reply.count - 1), "a reply to somebody else")
                do {
                    throw FuzzFault(description: "\(try ControlReply(frames: reply.suffix(1))) for nothing")
                } catch let failure as ControlFailure {
                    try require(ControlFailure.Code(rawValue: failure.code) != nil, "the code \(failure.code)")
                    try require(!failure.message.isEmpty, "a failure without a message")
                }
            }
            return try checkRequest(message.last ?? [])
        }
    }

    private static func checkRequest(_ frame: [UInt8]) throws -> String {
        do {
            let frame = try ControlRequest(parsing: frame).frame
            // Escapes are longer than what they stand for.
            guard frame.count <= ControlRequest.maximumBytes else { return "long" }
            let request = try ControlRequest(parsing: frame)
            try require(request.frame == frame, "\(request) is written in two ways")
            guard request.operation == "replay" else { return "a request with \(request.arguments.count) arguments" }
            let replay = try ReplayRequest(request)
            try require((1...ReplayRequest.maximumLimit).contains(replay.limit) && replay.from > 0, "\(replay)")
            return "replay \(replay.epoch != nil)"
        } catch let failure as ControlFailure {
            return failure.code
        }
    }
}
