// Frames of an arriving message to an image, to the end of a stream, or to the reason why they are neither.
//
// Everything that the header declares is checked here, against limits and against the payload's size; the payload itself is
// neither copied nor looked at. The dialects are in files of their own; they share the reading of raw pixels' shapes.

/// Reads the messages of one source.
public struct MessageParser: Sendable {
    /// The dialect that the senders speak.
    public let dialect: Dialect
    /// The channel order of raw pixels for which the dialect has no key.
    public let color: ColorOrder
    /// What a message may declare and weigh.
    public let limits: MessageLimits
    /// The name of images whose sender gives none.
    public let defaultSource: String

    /// Creates a parser; `defaultSource` is a valid source name.
    public init(dialect: Dialect, color: ColorOrder, limits: MessageLimits, defaultSource: String) {
        precondition(SourceName.isValid(defaultSource), "not a source name: \(defaultSource)")
        self.dialect = dialect
        self.color = color
        self.limits = limits
        self.defaultSource = defaultSource
    }

    /// Reads a message.
    ///
    /// - Parameters:
    ///   - frames: the message's frames, in order.
    ///   - received: when it was received, nanoseconds since 1970.
    /// - Returns: the image, or why it is none, with the sender's and the image's name as far as they could be read.
    public func parse(frames: [[UInt8]], received: Int64) -> IncomingMessage {
        var image = IncomingImage(
            source: defaultSource, received: received, encoding: .file(format: nil), payload: frames.last ?? [])
        var spoken: Dialect?
        do throws(MessageFault) {
            let kind = try read(frames, into: &image, spoken: &spoken)
            return IncomingMessage(
                dialect: spoken, content: kind == .image ? .image(image) : .end(source: image.source))
        } catch {
            let rejection = Rejection(
                source: image.source, id: image.id, reason: error.reason.rawValue, detail: error.detail)
            return IncomingMessage(dialect: spoken, content: .rejected(rejection))
        }
    }

    /// - Parameter spoken: the dialect, as soon as it is known.
    private func read(
        _ frames: [[UInt8]], into image: inout IncomingImage, spoken: inout Dialect?
    ) throws(MessageFault) -> MessageKind {
        if dialect != .auto {
            spoken = dialect
        } else if frames.count > 2 {
            // clusterd's is the only dialect with three frames, and the one in which a source is named before all else.
            spoken = .clusterd
        }
        switch spoken {
        case .clusterd: try readClusterd(frames, into: &image)
        case .imagezmq: try readImageZMQ(frames, into: &image)
        case .netgear: return try readNetGear(frames, into: &image)
        case .auto, nil:
            let header = try frames.count == 2 ? parseHeader(frames[0]) : headerOfSingleFrame(frames)
            spoken = Self.dialect(of: header)
            switch spoken {
            case .netgear: return try readNetGear(header: header, frames, into: &image)
            case .imagezmq: try readImageZMQ(header: header, frames, into: &image)
            case .clusterd: throw MessageFault(.frameCount, "2 frames, clusterd's dialect has 3")
            case .auto, nil:
                throw MessageFault(.unknownDialect, "2 frames, and none of the keys v, msg and terminate_flag")
            }
        }
        return .image
    }

    /// Tells the dialects apart by the keys of a message's first frame.
    private static func dialect(of header: [String: JSON]) -> Dialect? {
        if header["terminate_flag"] != nil { return .netgear }
        if header["msg"] != nil { return .imagezmq }
        return header["v"] == nil ? nil : .clusterd
    }

    /// The header of a message of one frame, of which only NetGear's end of a stream has any business.
    private func headerOfSingleFrame(_ frames: [[UInt8]]) throws(MessageFault) -> [String: JSON] {
        guard let frame = frames.first, let header = try? parseHeader(frame), header["terminate_flag"] != nil else {
            throw MessageFault(.frameCount, "\(frames.count) frames, an image has 2 or 3")
        }
        return header
    }

    /// Checks the message's size and that there is a payload; called once names have been read.
    func checkSize(_ frames: [[UInt8]]) throws(MessageFault) {
        let bytes = frames.reduce(0) { $0 + $1.count }
        guard bytes <= limits.maxMessageBytes else {
            throw MessageFault(.tooLarge, "\(bytes) bytes, the limit is \(limits.maxMessageBytes)")
        }
        guard frames.last?.isEmpty == false else { throw MessageFault(.emptyPayload, "the payload has no bytes") }
    }

    /// Parses a header frame.
    func parseHeader(_ frame: [UInt8]) throws(MessageFault) -> [String: JSON] {
        guard frame.count <= limits.maxHeaderBytes else {
            throw MessageFault(
                .headerTooLarge, "a header of \(frame.count) bytes, the limit is \(limits.maxHeaderBytes)")
        }
        let json: JSON
        do throws(JSONSyntaxError) {
            json = try JSON(parsing: frame)
        } catch {
            throw MessageFault(.headerNotJSON, error.description)
        }
        guard case .object(let header) = json else {
            throw MessageFault(.headerNotObject, "the header is JSON, but not an object")
        }
        return header
    }
}

/// What is wrong with a message, before its sender's name is added.
struct MessageFault: Error {
    let reason: RejectionReason
    let detail: String

    init(_ reason: RejectionReason, _ detail: String) {
        self.reason = reason
        self.detail = detail
    }

    init(_ error: JSONKeyError) {
        self.init(error.isMissing ? .missingKey : .invalidKey, error.description)
    }
}

/// What a message that was understood does.
enum MessageKind {
    /// It brings an image.
    case image
    /// It ends its sender's stream.
    case end
}

extension String {
    /// The text as a literal for a log, cut off where a sender has made it long.
    var quoted: String { String(String.UnicodeScalarView(unicodeScalars.prefix(64))).debugDescription }
}
