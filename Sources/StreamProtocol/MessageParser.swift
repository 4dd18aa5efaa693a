// Frames of an arriving message to an image, or to the reason why they are none.
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
    public func parse(frames: [[UInt8]], received: Int64) -> Result<IncomingImage, Rejection> {
        var image = IncomingImage(
            source: defaultSource, received: received, encoding: .file(format: nil), payload: frames.last ?? [])
        do throws(MessageFault) {
            try read(frames, into: &image)
            return .success(image)
        } catch {
            return .failure(
                Rejection(source: image.source, id: image.id, reason: error.reason.rawValue, detail: error.detail))
        }
    }

    private func read(_ frames: [[UInt8]], into image: inout IncomingImage) throws(MessageFault) {
        switch dialect {
        case .clusterd: try readClusterd(frames, into: &image)
        case .imagezmq: try readImageZMQ(frames, into: &image)
        case .auto:
            switch frames.count {
            case 1: try explainSingleFrame(frames[0])
            case 2: try readTwoFrames(frames, into: &image)
            // clusterd's is the only dialect with three frames, and the one in which a source is named before all else.
            default: try readClusterd(frames, into: &image)
            }
        }
    }

    /// Tells the dialects with two frames apart by their header's keys.
    private func readTwoFrames(_ frames: [[UInt8]], into image: inout IncomingImage) throws(MessageFault) {
        let header = try parseHeader(frames[0])
        if header["terminate_flag"] != nil { throw .netGear }
        if header["msg"] != nil { return try readImageZMQ(header: header, frames, into: &image) }
        if header["v"] != nil { throw MessageFault(.frameCount, "2 frames, clusterd's dialect has 3") }
        throw MessageFault(.unknownDialect, "2 frames, and none of the keys v, msg and terminate_flag")
    }

    private func explainSingleFrame(_ frame: [UInt8]) throws(MessageFault) {
        if frame.count <= limits.maxHeaderBytes, case .object(let header)? = try? JSON(parsing: frame),
            header["terminate_flag"] != nil
        {
            throw .netGear
        }
        throw MessageFault(.frameCount, "1 frame, an image has 2 or 3")
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

    static let netGear = MessageFault(.unsupportedDialect, "a message of vidgear's NetGear")
}

extension String {
    /// The text as a literal for a log, cut off where a sender has made it long.
    var quoted: String { String(String.UnicodeScalarView(unicodeScalars.prefix(64))).debugDescription }
}
