// A service manager's end of $NOTIFY_SOCKET: a real datagram socket, and what has come in on it.

import Daemon
import Foundation
import XCTest

/// A datagram socket that a daemon tells how it is.
final class NotifyReceiver {
    /// What the daemon finds in its environment.
    let address: String
    private let folder: TemporaryFolder?
    private let descriptor: Int32
    /// Every assignment so far.
    private(set) var received: [String] = []

    /// Listens at a path, or at a name in the abstract namespace.
    init(isAbstract: Bool = false) throws {
        let folder = isAbstract ? nil : try TemporaryFolder()
        self.folder = folder
        address = folder.map { $0.path + "/notify" } ?? "@clusterd-test-\(UUID().uuidString)"
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        let bytes = isAbstract ? [0] + Array(address.utf8.dropFirst()) : Array(address.utf8)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + bytes.count)
        let result = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard result == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    deinit { close(descriptor) }

    /// The assignments of the next datagram; nil where none comes for so many seconds.
    func next(within seconds: Double = 30) -> [String]? {
        var timeout = timeval(tv_sec: Int(seconds), tv_usec: Int(seconds.truncatingRemainder(dividingBy: 1) * 1e6))
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        guard count >= 0 else { return nil }
        let assignments = String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: "\n").map(String.init)
        received += assignments
        return assignments
    }

    /// Waits for an assignment that starts so, and returns its datagram; fails where half a minute passes without one.
    @discardableResult
    func wait(for start: String, file: StaticString = #filePath, line: UInt = #line) throws -> [String] {
        let deadline = MonotonicTime.now.advanced(bySeconds: 30)
        while MonotonicTime.now < deadline, let message = next() {
            if message.contains(where: { $0.hasPrefix(start) }) { return message }
        }
        XCTFail("no \(start): \(received.suffix(20))", file: file, line: line)
        throw CocoaError(.userCancelled)
    }
}
