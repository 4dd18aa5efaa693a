// The socket on which a service tells its manager how it is: sd_notify(3), one datagram a message.
//
// The protocol is small and promised to stay, so it is spoken here and libsystemd is not linked.

import Glibc

/// Where a service manager listens.
package struct NotifySocket: Sendable, Equatable {
    /// Seconds that a message may wait for a manager that does not read.
    private static let patience = 5

    private let path: [UInt8]
    private let isAbstract: Bool

    /// Creates the socket of `$NOTIFY_SOCKET`: a path from the root, or a name in Linux's abstract namespace after `@`.
    ///
    /// - Returns: nil where the address is of another kind or too long.
    package init?(_ address: String) {
        let bytes = Array(address.utf8)
        // unix(7): 108 bytes, of which a path's last is zero and an abstract name's first.
        guard let first = bytes.first, bytes.count > 1, bytes.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path)
        else { return nil }
        switch first {
        case UInt8(ascii: "/"): (path, isAbstract) = (bytes, false)
        case UInt8(ascii: "@"): (path, isAbstract) = ([0] + bytes.dropFirst(), true)
        default: return nil
        }
    }

    /// Sends assignments such as `READY=1`, one a line.
    ///
    /// - Returns: whether the manager has got them.
    @discardableResult
    package func send(_ assignments: [String]) -> Bool {
        let socket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        var timeout = timeval(tv_sec: Self.patience, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        // An abstract name's length counts; a path's zero may.
        let length = MemoryLayout.offset(of: \sockaddr_un.sun_path)! + path.count + (isAbstract ? 0 : 1)
        let message = Array(assignments.joined(separator: "\n").utf8)
        let sent = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                sendto(socket, message, message.count, Int32(MSG_NOSIGNAL), address, socklen_t(length))
            }
        }
        return sent == message.count
    }
}
