// A listening TCP socket, and the errors of getting one.

import Glibc

/// Why nothing can listen at an address.
public struct HTTPListenError: Error, CustomStringConvertible {
    /// The address.
    public let address: String
    /// Why not.
    public let reason: String

    /// One line.
    public var description: String { "cannot listen at \(address) for the page: \(reason)" }
}

/// A socket that takes connections; closed with its owner.
struct HTTPListener: ~Copyable {
    let file: Int32
    /// Where it listens, with the port that the system chose.
    let address: String

    /// Listens at an IPv4 address or a name of one; `*` is every interface, port 0 one that the system picks.
    init(host: String, port: Int) throws(HTTPListenError) {
        let wanted = "\(host):\(port)"
        var hints = addrinfo()
        hints.ai_family = AF_INET
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host == "*" ? "0.0.0.0" : host, "\(port)", &hints, &found)
        guard status == 0, let found else {
            throw HTTPListenError(address: wanted, reason: String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(found) }
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard file >= 0 else { throw HTTPListenError(address: wanted, reason: String(cString: strerror(errno))) }
        var yes: Int32 = 1
        setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard bind(file, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0, listen(file, 128) == 0 else {
            let reason = String(cString: strerror(errno))
            close(file)
            throw HTTPListenError(address: wanted, reason: reason)
        }
        self.file = file
        address = Self.name(of: file) ?? wanted
    }

    deinit { close(file) }

    /// The next client; nil where none waits.
    func accept() -> Int32? {
        let client = Glibc.accept(file, nil, nil)
        guard client >= 0 else { return nil }
        makeNonBlocking(client)
        var yes: Int32 = 1
        setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        return client
    }

    private static func name(of file: Int32) -> String? {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(file, $0, &size) }
        }
        guard status == 0 else { return nil }
        let number = UInt32(bigEndian: address.sin_addr.s_addr)
        let host = [24, 16, 8, 0].map { "\(number >> UInt32($0) & 255)" }.joined(separator: ".")
        return "\(host):\(UInt16(bigEndian: address.sin_port))"
    }
}

/// Has calls on a file return at once, and a program that is started not have it; fcntl(2).
func makeNonBlocking(_ file: Int32) {
    _ = fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK)
    _ = fcntl(file, F_SETFD, FD_CLOEXEC)
}
