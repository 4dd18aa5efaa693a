// An endpoint's keys as the configuration names them: paths of files, and nothing else.

import ZeroMQ

/// How an endpoint is encrypted: not at all, as CURVE's server where it listens, or as a client where it connects.
public struct CurveSettings: Sendable, Equatable {
    /// The word in place of a folder that lets everybody in who knows the server's public key.
    public static let anyClient = "any"

    /// The file with the endpoint's own key pair; empty is none.
    public var secretKey: String
    /// Where it listens: the folder with the public keys of those who may connect, one such file, or `any`; empty is not
    /// said.
    public var clients: String
    /// Where it connects: the file with the other side's public key; empty is not said.
    public var serverKey: String

    /// Creates settings; left out, of an endpoint without encryption.
    public init(secretKey: String = "", clients: String = "", serverKey: String = "") {
        self.secretKey = secretKey
        self.clients = clients
        self.serverKey = serverKey
    }

    /// Whether anything is set.
    var isSet: Bool { self != CurveSettings() }

    /// What is wrong with the settings of an endpoint that listens or connects, by the setting; nil where nothing is.
    func mistake(listens: Bool) -> (key: String, message: String)? {
        guard isSet else { return nil }
        guard CurveKeyPair.isAvailable else {
            return (listens ? "curve_secret_key" : "curve_server_key", "the installed libzmq was built without CURVE")
        }
        if listens {
            if !serverKey.isEmpty {
                return (
                    "curve_server_key", "an endpoint that listens has no server; say who may connect by curve_clients"
                )
            }
            if secretKey.isEmpty { return ("curve_clients", "needs curve_secret_key, the endpoint's own key") }
            if clients.isEmpty {
                return ("curve_secret_key", "needs curve_clients, who may connect: a folder of public keys, or any")
            }
        } else {
            if !clients.isEmpty {
                return (
                    "curve_clients",
                    "an endpoint that connects has no clients; name the other side's key by curve_server_key"
                )
            }
            if serverKey.isEmpty { return ("curve_secret_key", "needs curve_server_key, the other side's public key") }
        }
        return nil
    }

    /// Reads the keys; nil for an endpoint without encryption.
    ///
    /// - Throws: `KeyFileError` where a file cannot be used.
    func load() throws(KeyFileError) -> EndpointSecurity? {
        guard isSet else { return nil }
        let keys = try secretKey.isEmpty ? nil : CurveKeyFile.keyPair(at: secretKey)
        if !serverKey.isEmpty { return .client(server: try CurveKeyFile.publicKey(at: serverKey), keys: keys) }
        guard let keys else { preconditionFailure("checked before") }
        if clients == Self.anyClient { return .server(keys, .any) }
        return .server(keys, .listed(try CurveKeyFile.publicKeys(at: clients)))
    }
}
