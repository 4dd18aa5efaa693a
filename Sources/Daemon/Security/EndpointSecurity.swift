// An endpoint's keys as they were read from their files.

import ZeroMQ

/// How an endpoint is encrypted.
package enum EndpointSecurity: Sendable, Equatable {
    /// It has these keys and lets these clients in.
    case server(CurveKeyPair, AllowedClients)
    /// It expects the owner of the first key, and has the other keys; nil is a pair made for the moment.
    case client(server: CurveKey, keys: CurveKeyPair?)
}

/// Who may connect to an endpoint.
package enum AllowedClients: Sendable, Equatable {
    /// Whoever knows the server's public key.
    case any
    /// The owners of these keys.
    case listed(Set<CurveKey>)

    func admits(_ key: CurveKey) -> Bool {
        switch self {
        case .any: true
        case .listed(let keys): keys.contains(key)
        }
    }
}

extension GatewaySettings {
    /// How an endpoint is called in logs, in `status`, and in libzmq's questions who may connect to it.
    static func endpointName(ofSource name: String) -> String { "sources.\(name)" }
    static let publisherName = "publish"
    static let controlName = "control"

    /// Who may connect to which encrypted endpoint.
    var allowedClients: [String: AllowedClients] {
        security.compactMapValues { security -> AllowedClients? in
            guard case .server(_, let clients) = security else { return nil }
            return clients
        }
    }
}
