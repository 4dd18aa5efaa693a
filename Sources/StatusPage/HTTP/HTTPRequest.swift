// An HTTP request as far as a status page needs it, and its parser: RFC 9112, with a bound on everything.
//
// What the RFC lets a server refuse is refused: line feeds without carriage returns, folded lines, two lengths, coded bodies.
// A request that two programs read differently is how walls are got around.

/// A request that has come whole.
package struct HTTPRequest: Sendable, Equatable {
    /// The method, such as `GET`.
    package var method: String
    /// The target up to its query, beginning with `/`; as it was sent, with any percent signs.
    package var path: String
    /// The header fields in their order, names in lower case.
    package var fields: [Field]
    /// The body.
    package var body: [UInt8]
    /// Whether the connection stays open afterwards.
    package var keepsAlive: Bool

    /// A header field.
    package struct Field: Sendable, Equatable {
        /// In lower case.
        package var name: String
        /// Without white space around it.
        package var value: String

        /// Creates a field; `name` must be in lower case.
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The value of a field, nil where it is missing or there are several.
    package func value(of name: String) -> String? {
        let found = fields.lazy.filter { $0.name == name }
        return found.count == 1 ? found.first?.value : nil
    }

    /// Whether there is such a field.
    package func has(_ name: String) -> Bool { fields.contains { $0.name == name } }
}

/// Why a request is not answered as asked; the connection ends.
package struct HTTPRefusal: Error, Sendable, Equatable {
    /// The status.
    package let status: HTTPStatus
    /// What is wrong, in a few words.
    package let reason: String
}

/// Bounds on a request.
package struct HTTPRequestLimits: Sendable {
    /// Bytes up to the end of the header.
    package var headBytes = 16 << 10
    /// Header fields.
    package var fields = 64
    /// Bytes of the body.
    package var bodyBytes = 16 << 10

    /// The bounds that the page uses.
    package init() {}
}

extension HTTPRequest {
    /// Reads the first request of `input`.
    ///
    /// - Returns: the request and how many bytes it has; nil while it has not come whole.
    /// - Throws: `HTTPRefusal` where it is malformed or beyond the limits.
    package static func parse(
        _ input: [UInt8], limits: HTTPRequestLimits = HTTPRequestLimits()
    ) throws(HTTPRefusal) -> (request: HTTPRequest, bytes: Int)? {
        guard let headEnd = endOfHead(input) else {
            if input.count > limits.headBytes {
                throw HTTPRefusal(
                    status: .fieldsTooLarge, reason: "the header is longer than \(limits.headBytes) bytes")
            }
            return nil
        }
        guard headEnd <= limits.headBytes else {
            throw HTTPRefusal(status: .fieldsTooLarge, reason: "the header is longer than \(limits.headBytes) bytes")
        }
        var lines = input[..<headEnd].split(separator: 0x0A, omittingEmptySubsequences: false).dropLast(2)
            .makeIterator()
        guard let first = lines.next() else { throw malformed("there is no request line") }
        var (request, isOld) = try requestLine(try text(first))
        while let line = lines.next() {
            guard request.fields.count < limits.fields else {
                throw HTTPRefusal(status: .fieldsTooLarge, reason: "more than \(limits.fields) header fields")
            }
            request.fields.append(try field(try text(line)))
        }
        let length = try request.check(limits)
        guard input.count - headEnd >= length else { return nil }
        request.body = Array(input[headEnd..<headEnd + length])
        let connection = (request.value(of: "connection") ?? "").lowercased()
        request.keepsAlive = isOld ? connection == "keep-alive" : !connection.contains("close")
        return (request, headEnd + length)
    }

    private static func malformed(_ reason: String) -> HTTPRefusal { HTTPRefusal(status: .badRequest, reason: reason) }

    /// Where the body begins.
    private static func endOfHead(_ input: [UInt8]) -> Int? {
        guard input.count >= 4 else { return nil }
        return (4...input.count).first { end in
            input[end - 1] == 0x0A && input[end - 2] == 0x0D && input[end - 3] == 0x0A && input[end - 4] == 0x0D
        }
    }

    /// A line without its carriage return; printable ASCII, for which a status page is enough.
    private static func text(_ line: ArraySlice<UInt8>) throws(HTTPRefusal) -> String {
        guard line.last == 0x0D else { throw malformed("a line does not end with CR LF") }
        let content = line.dropLast()
        guard content.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 || $0 >= 0x80 }) else {
            throw malformed("a control character")
        }
        return String(decoding: content, as: UTF8.self)
    }

    private static func requestLine(_ line: String) throws(HTTPRefusal) -> (HTTPRequest, isOld: Bool) {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, isToken(parts[0]) else { throw malformed("the request line") }
        guard parts[2] == "HTTP/1.1" || parts[2] == "HTTP/1.0" else {
            throw HTTPRefusal(status: .versionNotSupported, reason: "HTTP/1.1 is spoken here")
        }
        guard parts[1].hasPrefix("/"), parts[1].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw malformed("the target is no path")
        }
        let path = parts[1].prefix { $0 != "?" }
        return (
            HTTPRequest(method: String(parts[0]), path: String(path), fields: [], body: [], keepsAlive: true),
            parts[2] == "HTTP/1.0"
        )
    }

    private static func field(_ line: String) throws(HTTPRefusal) -> Field {
        guard let colon = line.firstIndex(of: ":"), isToken(line[..<colon]) else { throw malformed("a header field") }
        let value = line[line.index(after: colon)...]
        let trimmed = value.drop { $0 == " " || $0 == "\t" }
        let end = trimmed.lastIndex { $0 != " " && $0 != "\t" }.map { trimmed.index(after: $0) } ?? trimmed.startIndex
        return Field(line[..<colon].lowercased(), String(trimmed[..<end]))
    }

    /// RFC 9110, 5.6.2.
    private static func isToken(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
    }

    /// The length of the body.
    private func check(_ limits: HTTPRequestLimits) throws(HTTPRefusal) -> Int {
        guard value(of: "host") != nil else { throw Self.malformed("a request has one Host") }
        if has("transfer-encoding") {
            throw HTTPRefusal(status: .notImplemented, reason: "a body with a transfer coding")
        }
        guard has("content-length") else { return 0 }
        guard let digits = value(of: "content-length"), !digits.isEmpty,
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { throw Self.malformed("the Content-Length") }
        guard let length = Int(digits), length <= limits.bodyBytes else {
            throw HTTPRefusal(status: .contentTooLarge, reason: "the body is longer than \(limits.bodyBytes) bytes")
        }
        return length
    }
}
