// Why somebody who was there did not become a peer.

import CZeroMQ

/// How a handshake failed.
public enum HandshakeFailure: String, Sendable, Equatable, CaseIterable {
    /// The server does not let the client in.
    case denied
    /// One of the two encrypts and the other does not.
    case mechanism
    /// What one of them sent cannot be decrypted: another key than the one it was meant for, or a forgery.
    case cryptographic
    /// What came is not ZeroMQ's protocol.
    case malformed
    /// The connection ended, or the time for it, before anybody was known.
    case incomplete

    /// Tells by the event and its value; zmq_socket_monitor(3).
    init(event: Int32, value: Int32) {
        switch (event, value) {
        case (ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, _): self = .denied
        case (ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH): self = .mechanism
        case (ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC): self = .cryptographic
        case (ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, _): self = .malformed
        default: self = .incomplete
        }
    }

    /// What is most likely wrong, as seen from a client.
    public var explanation: String {
        switch self {
        case .denied: "it does not know this client's key"
        case .mechanism: "one of the two encrypts and the other does not"
        case .cryptographic: "its key is another than the one that was given"
        case .malformed: "it does not speak ZeroMQ's protocol"
        case .incomplete:
            "it broke the connection off: it has another key than the one that was given, or is something else"
        }
    }
}
