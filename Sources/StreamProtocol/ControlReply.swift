// What the control endpoint answers: a JSON object, `{"ok":true,…}` or `{"ok":false,"error":{…}}`, and for some operations
// further frames of bytes.

/// The answer to a request that succeeded.
package struct ControlReply: Sendable, Equatable {
    /// The first frame's members, without `ok`.
    package var members: [String: JSON]
    /// The frames after the first.
    package var attachments: [[UInt8]]

    /// Creates an answer.
    package init(_ members: [String: JSON] = [:], attachments: [[UInt8]] = []) {
        self.members = members
        self.attachments = attachments
    }

    /// The answer's frames.
    package var frames: [[UInt8]] {
        let body = JSONWriter.object { writer in
            writer.member("ok", JSON.bool(true))
            for (key, value) in members.sorted(by: { $0.key < $1.key }) { writer.member(key, value) }
        }
        return [body] + attachments
    }

    /// Reads an answer's frames.
    ///
    /// - Throws: the `ControlFailure` that the frames tell of, or one with the code `malformed` where they are no answer.
    package init(frames: [[UInt8]]) throws(ControlFailure) {
        func malformed(_ reason: String) -> ControlFailure { ControlFailure(.malformed, "the reply \(reason)") }
        guard let first = frames.first, let json = try? JSON(parsing: first), var members = json.members,
            case .bool(let succeeded)? = members.removeValue(forKey: "ok")
        else { throw malformed("is not what a control endpoint says") }
        if !succeeded {
            let error = members["error"]?.members
            guard let code = error?["code"]?.text, let message = error?["message"]?.text else {
                throw malformed("tells of an error without its code and message")
            }
            throw ControlFailure(code: code, message: message)
        }
        self.init(members, attachments: Array(frames.dropFirst()))
    }
}

/// Why a request was not done: a word for programs and a sentence for people.
public struct ControlFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The words in use.
    public enum Code: String, Sendable, CaseIterable {
        /// The request is not one JSON object with an `op` in one frame.
        case malformed
        /// The request has too many bytes or frames.
        case tooLarge = "too-large"
        /// There is no such operation.
        case unknownOperation = "unknown-op"
        /// An argument is missing, of the wrong type or out of range.
        case invalidArgument = "invalid-argument"
        /// What the request names is not there.
        case notFound = "not-found"
        /// Numbers are asked for of an epoch that is not known.
        case unknownEpoch = "unknown-epoch"
        /// What the request offers was looked at and not taken; nothing has changed.
        case refused
        /// Too many requests are waiting, or the daemon is stopping: it may be sent again later.
        case unavailable
        /// Something that was tried failed, such as a write.
        case failed
    }

    /// The word; of a later version perhaps none of `Code`.
    public let code: String
    /// The sentence.
    public let message: String

    /// Creates a failure with one of the words in use.
    public init(_ code: Code, _ message: String) { self.init(code: code.rawValue, message: message) }

    init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    /// The failure of a request of too many bytes.
    package static func tooLarge(bytes: Int) -> Self {
        Self(.tooLarge, "the request has \(bytes) bytes, at most \(ControlRequest.maximumBytes) are allowed")
    }

    /// The answer's only frame.
    package var frames: [[UInt8]] {
        let error = JSON.object(["code": .string(code), "message": .string(message)])
        return [
            JSONWriter.object { writer in
                writer.member("ok", JSON.bool(false))
                writer.member("error", error)
            }
        ]
    }

    /// The sentence with its word.
    public var description: String { "\(message) (\(code))" }
}
