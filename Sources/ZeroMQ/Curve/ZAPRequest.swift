// The question whether a peer may connect, as libzmq puts it to a handler within the process (ZeroMQ RFC 27, ZAP 1.0).

/// A request of the ZeroMQ Authentication Protocol.
public struct ZAPRequest: Sendable, Equatable {
    /// A message that is no request.
    public struct Malformed: Error, Equatable {
        /// What is wrong with it.
        public let reason: String
    }

    /// What the reply is told from others by.
    public let id: [UInt8]
    /// The socket's domain.
    public let domain: String
    /// The peer's IP address.
    public let address: String
    /// The security mechanism: `NULL`, `PLAIN` or `CURVE`.
    public let mechanism: String
    /// What the mechanism has to show; for `CURVE` the peer's public key.
    public let credentials: [[UInt8]]

    static let version = Array("1.0".utf8)

    /// Reads a request's frames: version, id, domain, address, routing id, mechanism and credentials.
    ///
    /// - Throws: `Malformed`.
    public init(frames: [[UInt8]]) throws(Malformed) {
        guard frames.count >= 6 else { throw Malformed(reason: "a request has at least 6 frames, not \(frames.count)") }
        guard frames[0] == Self.version else { throw Malformed(reason: "not version 1.0") }
        // RFC 27: the strings have at most 255 bytes.
        guard frames[1...5].allSatisfy({ $0.count <= 255 }) else { throw Malformed(reason: "a frame is too long") }
        id = frames[1]
        domain = String(decoding: frames[2], as: UTF8.self)
        address = String(decoding: frames[3], as: UTF8.self)
        mechanism = String(decoding: frames[5], as: UTF8.self)
        credentials = Array(frames[6...])
    }

    /// The public key of a peer that has shown one, and nothing else: libzmq has checked that it has the secret one.
    public var curveKey: CurveKey? {
        mechanism == "CURVE" && credentials.count == 1 ? CurveKey(bytes: credentials[0]) : nil
    }
}

/// The answer to a `ZAPRequest`.
public enum ZAPReply: Sendable, Equatable {
    /// The peer may connect, under this name.
    case accepted(user: String)
    /// It may not.
    case denied

    /// The reply's frames: version, request's id, status code, status text, user and metadata.
    package func frames(to id: [UInt8]) -> [[UInt8]] {
        let (code, text, user) =
            switch self {
            case .accepted(let user): ("200", "OK", user)
            case .denied: ("400", "denied", "")
            }
        return [ZAPRequest.version, id, Array(code.utf8), Array(text.utf8), Array(user.utf8), []]
    }
}
