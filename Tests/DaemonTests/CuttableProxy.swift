// A network between two sockets that can be cut and mended, and overheard.

import Daemon
import Foundation
import XCTest

/// Passes bytes on from whoever connects to an endpoint, and back.
final class CuttableProxy: Sendable {
    private struct State: Sendable {
        var isCut = false
        var connections: Set<Int32> = []
        var heard: [UInt8] = []
    }

    /// Where to connect instead.
    let endpoint: String
    private let listener: Int32
    private let state = Monitor(State())

    /// Begins to pass on to `tcp://127.0.0.1:PORT`.
    ///
    /// - Parameter overhears: whether what is sent there is kept.
    init(to target: String?, overhears: Bool = false) throws {
        let port = try XCTUnwrap(target?.split(separator: ":").last.flatMap { UInt16($0) })
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        XCTAssertTrue(isListening, String(cString: strerror(errno)))
        endpoint = "tcp://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        WorkerThread(name: "proxy") { [state] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                Self.join(client, port: port, state, overhears: overhears)
            }
        }.start()
    }

    deinit {
        cut()
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// Ends all connections, and each new one, until `mend`.
    func cut() {
        state.withLock { state in
            state.isCut = true
            for connection in state.connections { shutdown(connection, Int32(SHUT_RDWR)) }
        }
    }

    /// What has been sent to the other end so far.
    var heard: [UInt8] { state.read(\.heard) }

    /// Lets connections be made again.
    func mend() { state.withLock { $0.isCut = false } }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return address
    }

    private static func join(_ client: Int32, port: UInt16, _ state: Monitor<State>, overhears: Bool) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = loopback(port)
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        let isWanted = state.withLock { state in
            guard isConnected, !state.isCut else { return false }
            state.connections.formUnion([client, server])
            return true
        }
        guard isWanted else {
            close(client)
            close(server)
            return
        }
        let open = Monitor(2)
        for (from, to) in [(client, server), (server, client)] {
            WorkerThread(name: "proxy", stackSize: 256 << 10) {
                pass(from, to) { bytes in
                    if overhears, from == client { state.withLock { $0.heard += bytes } }
                }
                let isLast = open.withLock { open in
                    open -= 1
                    return open == 0
                }
                guard isLast else { return }
                state.withLock { $0.connections.subtract([client, server]) }
                close(client)
                close(server)
            }.start()
        }
    }

    private static func pass(_ from: Int32, _ to: Int32, heard: (ArraySlice<UInt8>) -> Void) {
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(from, &bytes, bytes.count, 0)
            guard count > 0 else { break }
            heard(bytes[..<count])
            var sent = 0
            while sent < count {
                let part = bytes[sent..<count].withUnsafeBytes {
                    send(to, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard part > 0 else { break }
                sent += part
            }
        }
        shutdown(from, Int32(SHUT_RDWR))
        shutdown(to, Int32(SHUT_RDWR))
    }
}
