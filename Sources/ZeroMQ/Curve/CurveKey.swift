// CURVE's keys (ZeroMQ RFC 26): a public one that may be shown to everybody, and the pair that it belongs to.

import CZeroMQ

/// A public key.
public struct CurveKey: Hashable, Sendable, CustomStringConvertible {
    /// The bytes of a key.
    public static let size = 32

    /// The key, 32 bytes.
    public let bytes: [UInt8]

    /// Takes 32 bytes; nil for any other number.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.size else { return nil }
        self.bytes = bytes
    }

    /// Reads 40 characters of Z85 (ZeroMQ RFC 32): `zmq_z85_decode`; nil where they are none.
    public init?(z85 text: String) {
        guard let bytes = Z85.bytes(text) else { return nil }
        self.bytes = bytes
    }

    /// The key in Z85, 40 characters: `zmq_z85_encode`.
    public var z85: String { Z85.text(bytes) }

    /// The key in Z85.
    public var description: String { z85 }
}

/// A secret key with its public one. The secret shows in no description.
public struct CurveKeyPair: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// The key to be given to others.
    public let publicKey: CurveKey
    let secretKey: [UInt8]

    /// Whether the installed libzmq can encrypt: `zmq_has`.
    public static var isAvailable: Bool { zmq_has("curve") == 1 }

    /// Makes a new pair: `zmq_curve_keypair`.
    ///
    /// - Throws: `ZeroMQError` where libzmq was built without CURVE.
    public static func generate() throws(ZeroMQError) -> CurveKeyPair {
        var (publicText, secretText) = (Z85.buffer, Z85.buffer)
        _ = try call("make a key pair") { zmq_curve_keypair(&publicText, &secretText) }
        guard let secret = Z85.bytes(Z85.text(zeroEnded: secretText)), let pair = try CurveKeyPair(secretKey: secret)
        else { preconditionFailure("zmq_curve_keypair gave no Z85") }
        return pair
    }

    /// Takes a secret key, 32 bytes, and computes the public one: `zmq_curve_public`; nil for any other number of bytes.
    ///
    /// - Throws: `ZeroMQError` where libzmq was built without CURVE.
    public init?(secretKey: [UInt8]) throws(ZeroMQError) {
        guard secretKey.count == CurveKey.size else { return nil }
        var publicText = Z85.buffer
        let secretText = Z85.text(secretKey)
        _ = try call("compute a public key") { zmq_curve_public(&publicText, secretText) }
        guard let publicKey = CurveKey(z85: Z85.text(zeroEnded: publicText)) else { return nil }
        self.publicKey = publicKey
        self.secretKey = secretKey
    }

    /// The secret key in Z85, for the file that keeps it.
    var secretZ85: String { Z85.text(secretKey) }

    /// The public key.
    public var description: String { "key pair of \(publicKey)" }

    /// Only the public key.
    public var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey]) }
}

/// A client's side of CURVE: whom it expects, and who it is.
public struct CurveClient: Sendable, Equatable {
    /// The server's key: nobody else is talked to.
    public let serverKey: CurveKey
    /// The client's own keys.
    public let keys: CurveKeyPair

    /// Creates a client's side.
    ///
    /// - Parameter keys: nil is a pair made for the moment, which servers know that let everybody in.
    /// - Throws: `ZeroMQError` where libzmq was built without CURVE.
    public init(serverKey: CurveKey, keys: CurveKeyPair?) throws(ZeroMQError) {
        self.serverKey = serverKey
        if let keys { self.keys = keys } else { self.keys = try .generate() }
    }
}

/// Keys as text: 4 bytes are 5 characters.
enum Z85 {
    private static let keyLength = CurveKey.size / 4 * 5

    /// Room for a key and a zero byte.
    static var buffer: [CChar] { [CChar](repeating: 0, count: keyLength + 1) }

    static func text(zeroEnded buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func text(_ key: [UInt8]) -> String {
        precondition(key.count == CurveKey.size, "a key has 32 bytes")
        var result = buffer
        zmq_z85_encode(&result, key, key.count)
        return text(zeroEnded: result)
    }

    static func bytes(_ text: String) -> [UInt8]? {
        guard text.utf8.count == keyLength, text.utf8.allSatisfy({ (33...126).contains($0) }) else { return nil }
        var key = [UInt8](repeating: 0, count: CurveKey.size)
        return zmq_z85_decode(&key, text) == nil ? nil : key
    }
}
