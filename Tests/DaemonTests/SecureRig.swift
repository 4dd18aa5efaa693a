// A gateway whose only source is encrypted, and peers of it: listed, not listed, and others that do not even speak ZeroMQ.

import Daemon
import Foundation
import XCTest
import ZeroMQ

/// A `GatewayRig` with keys.
final class SecureRig {
    static let source = "sources.door"
    let rig: GatewayRig
    let server: CurveKeyPair
    let client: CurveKeyPair

    init(
        pattern: SourceSettings.Pattern = .pull, admitsAny: Bool = false,
        change: (inout GatewaySettings) -> Void = { _ in }
    ) throws {
        let (server, client) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        (self.server, self.client) = (server, client)
        rig = try GatewayRig([sourceSettings(.dropOldest, pattern: pattern, name: "door")]) { settings in
            settings.security[Self.source] = .server(server, admitsAny ? .any : .listed([client.publicKey]))
            change(&settings)
        }
    }

    var endpoint: String { rig.endpoints.sources[0] }

    /// A peer with these keys, nil for one without encryption, that expects this server.
    func peer(
        _ kind: SocketKind = .push, keys: CurveKeyPair?, server: CurveKey? = nil, endpoint: String? = nil
    ) throws -> Socket {
        var socket = try rig.context.socket(kind)
        if let keys { try socket.useCurve(CurveClient(serverKey: server ?? self.server.publicKey, keys: keys)) }
        try socket.set(.sendTimeout, .seconds(20))
        try socket.set(.receiveTimeout, .seconds(20))
        try socket.connect(endpoint ?? self.endpoint)
        return socket
    }

    /// The peer that is let in.
    func friend(_ kind: SocketKind = .push, endpoint: String? = nil) throws -> Socket {
        try peer(kind, keys: client, endpoint: endpoint)
    }

    /// Waits until so many have failed to get in for one of these reasons, left out for any, and says how many have.
    func failures(
        of reasons: Set<HandshakeFailure> = Set(HandshakeFailure.allCases), count: UInt64 = 1
    ) -> UInt64 {
        let deadline = MonotonicTime.now.advanced(bySeconds: 20)
        return rig.gateway.handshakeFailures.counts.wait { counts in
            let here = counts[Self.source] ?? [:]
            let failed = here.filter { reasons.contains($0.key) }.values.reduce(0, +)
            return failed >= count || MonotonicTime.now >= deadline ? .done(failed) : .wait(until: deadline)
        }
    }
}

/// A TCP connection that says whatever it likes.
final class RawConnection {
    private let descriptor: Int32

    init(to endpoint: String) throws {
        let port = try XCTUnwrap(endpoint.split(separator: ":").last.flatMap { UInt16($0) })
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard descriptor >= 0, status == 0 else { throw CocoaError(.fileReadUnknown) }
    }

    deinit { close(descriptor) }

    /// Sends until all is sent or the other end has closed.
    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let part = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard part > 0 else { return }
            sent += part
        }
    }

    /// Waits for so many bytes.
    func receive(_ count: Int) -> Bool {
        var bytes = [UInt8](repeating: 0, count: count)
        return recv(descriptor, &bytes, count, Int32(MSG_WAITALL)) == count
    }

    /// Whether the other end closes the connection within this time; what it says before that is passed over.
    func isClosed(within seconds: Double) -> Bool {
        let deadline = MonotonicTime.now.advanced(bySeconds: seconds)
        var bytes = [UInt8](repeating: 0, count: 4096)
        while MonotonicTime.now < deadline {
            var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let left = deadline.seconds(since: .now)
            guard poll(&item, 1, Int32(left * 1000) + 1) > 0 else { continue }
            if recv(descriptor, &bytes, bytes.count, 0) <= 0 { return true }
        }
        return false
    }

    /// ZMTP 3.1's greeting (ZeroMQ RFC 37), 64 bytes.
    static func greeting(_ mechanism: String) -> [UInt8] {
        var bytes: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 1]
        bytes += Array(mechanism.utf8)
        bytes += [UInt8](repeating: 0, count: 64 - bytes.count)
        return bytes
    }

    /// The head of a frame of so many bytes.
    static func head(command: Bool, bytes: UInt64) -> [UInt8] {
        [command ? 6 : 2] + withUnsafeBytes(of: bytes.bigEndian) { Array($0) }
    }

    /// The command that ends a handshake without encryption.
    static var ready: [UInt8] {
        var body = Array("\u{5}READY\u{B}Socket-Type".utf8)
        body += [0, 0, 0, 4]
        body += Array("PUSH".utf8)
        return [4, UInt8(body.count)] + body
    }
}
