// The options of CURVE (zmq_curve(7)) and of what a socket expects of those who connect to it.

import CZeroMQ

extension SocketOption where Value == Duration {
    /// How long a peer may take to say who it is, zero is for ever: `ZMQ_HANDSHAKE_IVL`.
    public static var handshakeInterval: Self { milliseconds("HANDSHAKE_IVL", ZMQ_HANDSHAKE_IVL) }
}

extension SocketOption where Value == Int {
    /// How many connections may wait to be accepted: `ZMQ_BACKLOG`.
    public static var backlog: Self { int32("BACKLOG", ZMQ_BACKLOG) }
}

extension SocketOption where Value == Bool {
    static var curveServer: Self { flag("CURVE_SERVER", ZMQ_CURVE_SERVER) }

    /// Without it a server lets everybody in where nobody answers its questions: `ZMQ_ZAP_ENFORCE_DOMAIN`, 93, which zmq.h of
    /// 4.3 shows to drafts only; the library takes it, and a library that does not makes `Socket.set` throw.
    static var zapEnforceDomain: Self { flag("ZAP_ENFORCE_DOMAIN", 93) }
}

extension SocketOption where Value == [UInt8] {
    static var curvePublicKey: Self { Self(name: "CURVE_PUBLICKEY", code: ZMQ_CURVE_PUBLICKEY) { $0 } }
    static var curveSecretKey: Self { Self(name: "CURVE_SECRETKEY", code: ZMQ_CURVE_SECRETKEY) { $0 } }
    static var curveServerKey: Self { Self(name: "CURVE_SERVERKEY", code: ZMQ_CURVE_SERVERKEY) { $0 } }
    static var zapDomain: Self { Self(name: "ZAP_DOMAIN", code: ZMQ_ZAP_DOMAIN) { $0 } }
}

extension Socket {
    /// Has all further connections encrypted, and made with nobody but the owner of the server's key.
    ///
    /// - Throws: `ZeroMQError` where libzmq was built without CURVE.
    public mutating func useCurve(_ client: CurveClient) throws(ZeroMQError) {
        try set(.curveServerKey, client.serverKey.bytes)
        try set(.curvePublicKey, client.keys.publicKey.bytes)
        try set(.curveSecretKey, client.keys.secretKey)
    }

    /// Has all further connections encrypted, and made with those alone whom the context's `ZAPHandler` lets in: without one,
    /// with nobody.
    ///
    /// - Parameter domain: tells the handler which socket is asked about; not empty.
    /// - Throws: `ZeroMQError` where libzmq was built without CURVE.
    public mutating func useCurveServer(_ keys: CurveKeyPair, domain: String) throws(ZeroMQError) {
        precondition(!domain.isEmpty, "without a domain libzmq asks no handler")
        try set(.zapDomain, Array(domain.utf8))
        try set(.zapEnforceDomain, true)
        try set(.curveSecretKey, keys.secretKey)
        try set(.curveServer, true)
    }
}
