// What a sender that waits for a reply is told: whether its image has been admitted, long before it is looked at.
//
// Each dialect's senders have an idea of their own of what a reply is. imagezmq's hand the bytes to their caller, who by
// convention looks for "OK". NetGear's read one frame of JSON in their bidirectional and multi-client modes, where `port`
// says which receiver it is from, and any frame otherwise.

/// The reply to a request.
public enum Reply: Sendable, Equatable {
    /// The image has been admitted, or the end of the stream noted.
    case admitted
    /// It has not: why, as a word of a fixed set, and in detail.
    case refused(reason: String, detail: String)

    /// The reply's only frame.
    ///
    /// - Parameters:
    ///   - dialect: the request's; nil where it could not be told.
    ///   - port: where the request arrived: a TCP port's number.
    public func frame(in dialect: Dialect?, port: String) -> [UInt8] {
        switch dialect {
        case .imagezmq: Array((rejection ?? "OK").utf8)
        case .netgear:
            JSONWriter.object { reply in
                reply.member("port", port)
                // Python's name of the data's type.
                reply.member("return_type", rejection == nil ? "NoneType" : "str")
                reply.member("data", rejection)
            }
        case .clusterd, .auto, nil:
            JSONWriter.object { reply in
                reply.member("ok", JSON.bool(self == .admitted))
                if case .refused(let reason, let detail) = self {
                    reply.member("error", JSON.object(["code": .string(reason), "message": .string(detail)]))
                }
            }
        }
    }

    /// Reads the reply to a request in clusterd's dialect. What says nothing of a refusal admits: other receivers have other
    /// words for it.
    public init(frame: [UInt8]) {
        guard let members = (try? JSON(parsing: frame))?.members, members["ok"]?.flag == false else {
            self = .admitted
            return
        }
        let error = members["error"]?.members
        self = .refused(reason: error?["code"]?.text ?? "unknown", detail: error?["message"]?.text ?? "")
    }

    private var rejection: String? {
        guard case .refused(let reason, _) = self else { return nil }
        return "rejected: \(reason)"
    }
}
