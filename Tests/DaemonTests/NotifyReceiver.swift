// A service manager's end of $NOTIFY_SOCKET: a real datagram socket, and what has come in on it.

import Daemon
import Foundation
import XCTest

/// A datagram socket that a daemon tells how it is.
///
/// It is read all the time: the system keeps ten datagrams, and has whoever sends the next one wait.
final class NotifyReceiver {
    /// What the daemon finds in its environment.
    let address: String
    private let folder: TemporaryFolder?
    private let descriptor: Int32
    /// Datagrams that nobody has asked for yet.
    private let inbox = Monitor([[String]]())
    private let reader: WorkerThread
    /// Every assignment that has been asked for so far.
    private(set) var received: [String] = []

    /// Listens at a path, or at a name in the abstract namespace.
    init(isAbstract: Bool = false) throws {
        let folder = isAbstract ? nil : try TemporaryFolder()
        self.folder = folder
        address = folder.map { $0.path + "/notify" } ?? "@clusterd-test-\(UUID().uuidString)"
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        self.descriptor = descriptor
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        let bytes = isAbstract ? [0] + Array(address.utf8.dropFirst()) : Array(address.utf8)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + bytes.count)
        let result = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        reader = WorkerThread(name: "notify") { [inbox] in
            var bytes = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = recv(descriptor, &bytes, bytes.count, 0)
                guard count > 0 else { return }
                let text = String(decoding: bytes.prefix(count), as: UTF8.self)
                inbox.withLock { $0.append(text.split(separator: "\n").map(String.init)) }
            }
        }
        guard result == 0 else { throw CocoaError(.fileWriteUnknown) }
        reader.start()
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        reader.join()
        close(descriptor)
    }

    /// The assignments of the next datagram; nil where none comes for so many seconds.
    func next(within seconds: Double = 30) -> [String]? {
        let deadline = MonotonicTime.now.advanced(bySeconds: seconds)
        let assignments: [String]? = inbox.wait { inbox in
            if !inbox.isEmpty { return .done(inbox.removeFirst()) }
            return MonotonicTime.now >= deadline ? .done(nil) : .wait(until: deadline)
        }
        received += assignments ?? []
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
