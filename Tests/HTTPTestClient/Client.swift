// A client that speaks HTTP as bytes, so that tests can also be slow, rude and silent.

import Glibc

/// What a server answered.
package struct Answer {
    /// The number.
    package var status: Int
    /// The header fields, names as sent.
    package var fields: [String: String]
    /// The body.
    package var body: [UInt8]

    /// The body as text.
    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// Nothing more comes, or nobody is there.
package struct ConnectionEnded: Error {}

/// A connection is open, and nothing comes for a minute.
package struct NothingComes: Error {}

/// A connection; reading waits for at most a minute.
package final class Client {
    /// The socket.
    package let file: Int32
    private var input: [UInt8] = []

    /// Connects to a port of this machine.
    package init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        if var size = receiveBuffer { setsockopt(file, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        // What has been made so far is ended by deinit.
        guard status == 0 else { throw ConnectionEnded() }
    }

    deinit { close(file) }

    /// Sends bytes, as long as they are taken.
    package func send(_ text: String) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(file, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Waits for more; false at the end of the connection.
    private func more() throws -> Bool {
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = recv(file, &piece, piece.count, 0)
        if count < 0 && errno != ECONNRESET {
            throw NothingComes()
        }
        input += piece.prefix(max(0, count))
        return count > 0
    }

    /// Waits for `text`, and takes all up to its end.
    @discardableResult
    package func wait(for text: String) throws -> String {
        let wanted = Array(text.utf8)
        while true {
            if let range = input.firstRange(of: wanted) {
                defer { input.removeFirst(range.upperBound) }
                return String(decoding: input[..<range.upperBound], as: UTF8.self)
            }
            guard try more() else { throw ConnectionEnded() }
        }
    }

    /// Waits for the end of the connection, and returns what came before it.
    package func rest() throws -> String {
        while try more() {}
        defer { input = [] }
        return String(decoding: input, as: UTF8.self)
    }

    /// Waits for an answer with a length.
    package func answer(to method: String = "GET") throws -> Answer {
        let lines = try wait(for: "\r\n\r\n").split(separator: "\r\n")
        let status = Int(lines[0].split(separator: " ")[1]) ?? 0
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            fields[String(parts[0])] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
        }
        let length = method == "HEAD" ? 0 : Int(fields["content-length"] ?? "0") ?? 0
        while input.count < length { guard try more() else { throw ConnectionEnded() } }
        defer { input.removeFirst(length) }
        return Answer(status: status, fields: fields, body: Array(input.prefix(length)))
    }

    /// The bytes of a request.
    package static func request(
        _ method: String, _ path: String, host: String = "127.0.0.1", _ fields: [String: String] = [:],
        body: String = ""
    ) -> String {
        var text = "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\n"
        for (name, value) in fields { text += "\(name): \(value)\r\n" }
        if !body.isEmpty { text += "Content-Length: \(body.utf8.count)\r\n" }
        return text + "\r\n" + body
    }
}
