// vidgear's NetGear, as its senders of any version write it: `[header] [payload]`, and `[header]` alone at the end.
//
// The header has changed over the years. `compression` is missing before 0.1.6; a file's extension, or "" for raw pixels,
// before 0.2.1, when `shape` and `dtype` describe the file's bytes too; a dictionary or false since. `port` is there in
// multi-server mode and says nothing here, where each port is a source of its own.

extension MessageParser {
    /// Reads NetGear's dialect.
    func readNetGear(_ frames: [[UInt8]], into image: inout IncomingImage) throws(MessageFault) -> MessageKind {
        guard let first = frames.first, frames.count <= 2 else {
            throw MessageFault(.frameCount, "\(frames.count) frames, NetGear's dialect has 2, or 1 at its end")
        }
        return try readNetGear(header: parseHeader(first), frames, into: &image)
    }

    /// Reads NetGear's dialect when its header is parsed. `message` is whatever the sender likes; where it can name an image,
    /// it does, since an answer could not be told from another otherwise.
    func readNetGear(
        header: [String: JSON], _ frames: [[UInt8]], into image: inout IncomingImage
    ) throws(MessageFault) -> MessageKind {
        image.id = header["message"]?.imageName.flatMap { $0.isEmpty ? nil : $0 }
        guard let flag = header["terminate_flag"] else {
            throw MessageFault(.missingKey, "terminate_flag is missing")
        }
        guard let isEnd = flag.flag else { throw MessageFault(.invalidKey, "terminate_flag is not true or false") }
        // NetGear's own receiver looks at no payload then either.
        if isEnd { return .end }
        guard frames.count == 2 else { throw MessageFault(.frameCount, "1 frame, an image of NetGear has 2") }
        try checkSize(frames)
        if try !isCompressed(header) {
            image.encoding = try readRaw(header, declaredColor: nil, otherwise: color, payload: image.payload)
        }
        return .image
    }

    /// Whether the payload is a file, rather than raw pixels.
    private func isCompressed(_ header: [String: JSON]) throws(MessageFault) -> Bool {
        switch header["compression"] ?? .null {
        case .null: false
        case .bool(let isCompressed): isCompressed
        // Python's str() of whatever the setting was.
        case .string(let text): !["", "None", "False"].contains(text)
        case .object(let parameters): !parameters.isEmpty
        case .integer, .number, .array: throw MessageFault(.invalidKey, "compression is not as NetGear writes it")
        }
    }
}
