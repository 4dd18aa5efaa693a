// Why a control operation came to nothing.

import StreamProtocol
import ZeroMQ

/// What ended a control operation.
public enum ControlError: Error, CustomStringConvertible {
    /// Nobody is at the endpoint, or nobody answered in time.
    case noAnswer(endpoint: String, waited: Duration, isConnected: Bool)
    /// Somebody is at the endpoint who does not talk to this client.
    case handshakeFailed(endpoint: String, HandshakeFailure)
    /// The daemon did not do it, and says why.
    case refused(ControlFailure)
    /// What came is not what was asked for.
    case unexpected(String)
    /// A file could not be written, by the system's reason.
    case file(path: String, reason: String)
    /// The stop signal was given.
    case interrupted
    /// The socket failed.
    case socket(ZeroMQError)

    /// Whether a later attempt may succeed without any change on this side.
    public var isTemporary: Bool {
        switch self {
        case .noAnswer: true
        case .refused(let failure): failure.code == ControlFailure.Code.unavailable.rawValue
        default: false
        }
    }

    /// One line: what happened, and where.
    public var description: String {
        switch self {
        case .noAnswer(let endpoint, let waited, isConnected: false):
            "nobody answers at \(endpoint), waited \(seconds(waited)); is `clusterd serve` running?"
        case .noAnswer(let endpoint, let waited, isConnected: true):
            "no answer from \(endpoint) within \(seconds(waited)); what was asked for may still be done"
        case .handshakeFailed(let endpoint, let failure):
            "something answers at \(endpoint), but \(failure.explanation)"
        case .refused(let failure): printable(failure.description)
        case .unexpected(let reason): printable(reason)
        case .file(let path, let reason): "cannot write \(printable(path)): \(reason)"
        case .interrupted: "interrupted"
        case .socket(let error): error.description
        }
    }
}
