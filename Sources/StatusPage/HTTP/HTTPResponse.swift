// What is answered to a request: status, header fields and a body, and its bytes.

/// A status that is used here.
package struct HTTPStatus: Sendable, Equatable {
    /// The number.
    package let code: Int
    /// The words after it.
    package let phrase: String

    package static let ok = Self(code: 200, phrase: "OK")
    package static let notModified = Self(code: 304, phrase: "Not Modified")
    package static let badRequest = Self(code: 400, phrase: "Bad Request")
    package static let unauthorized = Self(code: 401, phrase: "Unauthorized")
    package static let forbidden = Self(code: 403, phrase: "Forbidden")
    package static let notFound = Self(code: 404, phrase: "Not Found")
    package static let methodNotAllowed = Self(code: 405, phrase: "Method Not Allowed")
    package static let requestTimeout = Self(code: 408, phrase: "Request Timeout")
    package static let conflict = Self(code: 409, phrase: "Conflict")
    package static let contentTooLarge = Self(code: 413, phrase: "Content Too Large")
    package static let misdirected = Self(code: 421, phrase: "Misdirected Request")
    package static let fieldsTooLarge = Self(code: 431, phrase: "Request Header Fields Too Large")
    package static let failed = Self(code: 500, phrase: "Internal Server Error")
    package static let notImplemented = Self(code: 501, phrase: "Not Implemented")
    package static let unavailable = Self(code: 503, phrase: "Service Unavailable")
    package static let versionNotSupported = Self(code: 505, phrase: "HTTP Version Not Supported")
}

/// An answer.
package struct HTTPResponse: Sendable, Equatable {
    /// The status.
    package var status: HTTPStatus
    /// The header fields besides those on length and connection.
    package var fields: [HTTPRequest.Field]
    /// The body.
    package var body: [UInt8]

    /// Creates an answer with a body of a media type.
    package init(_ status: HTTPStatus = .ok, type: String, body: [UInt8], fields: [HTTPRequest.Field] = []) {
        self.status = status
        self.fields = [HTTPRequest.Field("content-type", type)] + fields
        self.body = body
    }

    /// Creates an answer of a line of text.
    package static func text(_ status: HTTPStatus, _ text: String, fields: [HTTPRequest.Field] = []) -> Self {
        Self(status, type: "text/plain; charset=utf-8", body: Array("\(text)\n".utf8), fields: fields)
    }

    /// The answer's bytes.
    ///
    /// - Parameters:
    ///   - omitsBody: whether HEAD was asked, to which the answer has no body.
    func bytes(keepsAlive: Bool, omitsBody: Bool) -> [UInt8] {
        var bytes = head(keepsAlive: keepsAlive, length: body.count)
        if !omitsBody { bytes += body }
        return bytes
    }

    /// The bytes of the header of an answer; one without a length goes on until the connection ends.
    func head(keepsAlive: Bool, length: Int?) -> [UInt8] {
        var head = "HTTP/1.1 \(status.code) \(status.phrase)\r\n"
        for field in fields { head += "\(field.name): \(field.value)\r\n" }
        if let length { head += "content-length: \(length)\r\n" }
        head += keepsAlive ? "\r\n" : "connection: close\r\n\r\n"
        return Array(head.utf8)
    }
}
