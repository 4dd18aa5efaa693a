// The dialects: which frame is which, and what their headers say of an image and its origin.
//
// Names are read first, so that whatever is wrong with the rest can be told under them.

extension MessageParser {
    /// The version of clusterd's dialect.
    static let version = 1

    /// Reads clusterd's dialect: `[source name] [header] [payload]`.
    func readClusterd(_ frames: [[UInt8]], into image: inout IncomingImage) throws(MessageFault) {
        if frames.count >= 3 { image.source = SourceName.sanitise(frames[0]) ?? defaultSource }
        guard frames.count == 3 else {
            // With too many frames the first ones may well be right; with too few there is no telling which is missing.
            if frames.count > 3 { image.id = try? parseHeader(frames[1]).imageID }
            throw MessageFault(.frameCount, "\(frames.count) frames, clusterd's dialect has 3")
        }
        let header = try parseHeader(frames[1])
        image.id = try header.imageID
        guard header["v"]?.integer() == Self.version else {
            throw MessageFault(.unsupportedVersion, "v is missing or not \(Self.version)")
        }
        image.sequence = try header.readOptional("seq", "an unsigned 64-bit integer") { $0.integer() }
        image.taken = try header.readOptional("t", "integer nanoseconds since 1970") { $0.integer() }
        image.label = try header.readOptional("label", "a string or a 64-bit integer", Label.init(json:))
        let format = try header.readOptional("format", "a string", \.text)
        try checkSize(frames)
        switch format {
        case nil, "jpeg", "png", "webp": image.encoding = .file(format: format)
        case "raw":
            let color = try header.readOptional("color", "a string", \.text)
            image.encoding = try readRaw(header, declaredColor: color, otherwise: .rgb, payload: image.payload)
        case let other?: throw MessageFault(.unknownFormat, "format is \(other.quoted)")
        }
    }

    /// Reads imagezmq's dialect: `[header] [payload]`.
    func readImageZMQ(_ frames: [[UInt8]], into image: inout IncomingImage) throws(MessageFault) {
        guard let first = frames.first, frames.count == 2 else {
            throw MessageFault(.frameCount, "\(frames.count) frames, imagezmq's dialect has 2")
        }
        try readImageZMQ(header: parseHeader(first), frames, into: &image)
    }

    /// Reads imagezmq's dialect when its header is parsed: `dtype` and `shape` are there for raw pixels and missing for a
    /// JPEG; `msg` is whatever the sender likes, by the usage of imagezmq's own examples the camera's name.
    func readImageZMQ(
        header: [String: JSON], _ frames: [[UInt8]], into image: inout IncomingImage
    ) throws(MessageFault) {
        image.source = header["msg"]?.text.flatMap { SourceName.sanitise($0) } ?? defaultSource
        try checkSize(frames)
        if (header["shape"] ?? .null) != .null || (header["dtype"] ?? .null) != .null {
            image.encoding = try readRaw(header, declaredColor: nil, otherwise: color, payload: image.payload)
        }
    }
}

extension [String: JSON] {
    /// The sender's name for the image.
    var imageID: String? {
        get throws(MessageFault) { try readOptional("id", "a string or an integer", \.imageName) }
    }

    /// An optional key of an arriving header.
    func readOptional<Field>(
        _ key: String, _ expected: String, _ read: (JSON) -> Field?
    ) throws(MessageFault) -> Field? {
        do throws(JSONKeyError) {
            return try optional(key, expected, read)
        } catch {
            throw MessageFault(error)
        }
    }
}

extension JSON {
    /// What names an image: a string; of a number the digits, since many senders number their images.
    var imageName: String? {
        if let number = integer(as: Int128.self) { String(number) } else { text }
    }
}

extension Label {
    /// The label that a JSON value stands for, nil where it is neither a string nor an integer.
    init?(json: JSON) {
        if let number = json.integer(as: Int64.self) {
            self = .number(number)
        } else if let text = json.text {
            self = .text(text)
        } else {
            return nil
        }
    }
}
