// What an endpoint says, as far as it can be judged before a socket is opened.

/// A parsed endpoint: `tcp://HOST:PORT` or `ipc://PATH`.
struct EndpointAddress: Equatable {
    enum Place: Equatable {
        /// A port on an address, or one that the system picks where nil.
        case tcp(host: String, port: Int?)
        /// A socket file, or one that the system picks where nil.
        case ipc(path: String?)
    }

    /// Why a text is no endpoint.
    struct Malformed: Error {
        let message: String
    }

    let place: Place

    /// Parses a ZeroMQ endpoint.
    ///
    /// - Parameter listens: whether a socket is to listen there, so that the address may be `*` and the port `*` or 0.
    init(_ text: String, listens: Bool) throws(Malformed) {
        if text.hasPrefix("ipc://") {
            let path = String(text.dropFirst("ipc://".count))
            // unix(7): sun_path has 108 bytes, the last of them 0.
            guard !path.isEmpty, path.utf8.count < 108 else {
                throw Malformed(message: "the path of an ipc:// endpoint has 1 to 107 bytes")
            }
            place = .ipc(path: path == "*" ? nil : path)
        } else if text.hasPrefix("tcp://") {
            self = try Self(hostAndPort: text.dropFirst("tcp://".count), listens: listens)
        } else {
            throw Malformed(message: "“\(text)” is no endpoint: write tcp://ADDRESS:PORT or ipc://PATH")
        }
    }

    /// Parses `HOST:PORT`.
    init(hostAndPort text: some StringProtocol, listens: Bool) throws(Malformed) {
        guard let colon = text.lastIndex(of: ":") else {
            throw Malformed(message: "“\(text)” has no port: write ADDRESS:PORT")
        }
        let host = String(text[..<colon]), port = String(text[text.index(after: colon)...])
        guard !host.contains(":") else {
            throw Malformed(
                message: "IPv6 addresses such as \(host) are not supported: write an IPv4 address or a name")
        }
        let isHostCharacter = { (c: Character) in c.isASCII && (c.isLetter || c.isNumber || "._-".contains(c)) }
        guard host == "*" && listens || (!host.isEmpty && host.allSatisfy(isHostCharacter)) else {
            throw Malformed(message: "“\(host)” is no address")
        }
        if listens, port == "*" || port == "0" {
            place = .tcp(host: host, port: nil)
        } else if let number = Int(port), (1...65535).contains(number), port.allSatisfy(\.isNumber) {
            place = .tcp(host: host, port: number)
        } else {
            let picked = listens ? ", or * for one that the system picks" : ""
            throw Malformed(message: "“\(port)” is no port: 1 to 65535\(picked)")
        }
    }

    /// Whether only this machine can reach it.
    var isLocal: Bool {
        switch place {
        case .ipc: true
        case .tcp(let host, _): host == "localhost" || host == "lo" || Self.isLoopbackAddress(host)
        }
    }

    /// Whether two sockets cannot both have their end here; of one that connects to another machine, `*` is not the end.
    func collides(with other: EndpointAddress, bothListen: Bool = true) -> Bool {
        switch (place, other.place) {
        case (.ipc(let path?), .ipc(let otherPath?)):
            return path == otherPath
        case (.tcp(let host, let port?), .tcp(let otherHost, let otherPort?)):
            let hosts = [Self.canonical(host), Self.canonical(otherHost)]
            return port == otherPort
                && (hosts[0] == hosts[1]
                    || hosts.contains("*") && (bothListen || isLocal || other.isLocal))
        default:
            return false
        }
    }

    private static func canonical(_ host: String) -> String {
        switch host.lowercased() {
        case "localhost", "lo": "127.0.0.1"
        case "0.0.0.0": "*"
        case let host: host
        }
    }

    /// RFC 1122, section 3.2.1.3: 127.0.0.0/8. The name 127.example.org is not.
    private static func isLoopbackAddress(_ host: String) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
