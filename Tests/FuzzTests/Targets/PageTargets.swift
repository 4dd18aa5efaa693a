// What comes to the page's port: HTTP requests.

import StatusPage

extension FuzzTarget {
    private static let httpTokens = [
        "GET / HTTP/1.1\r\n", "POST /api/save HTTP/1.1\r\n", "HTTP/1.0", "HEAD ", "Host: localhost\r\n", "Host: ",
        "\r\n",
        "\r\n\r\n", "\n", "\r", ": ", "Content-Length: 4\r\n", "Content-Length: ", "Transfer-Encoding: chunked\r\n",
        "Connection: close\r\n", "Connection: keep-alive\r\n", " \t", "\0", "?", "%2e%2e/",
    ]

    /// A request, whole or in part, with others behind it.
    static func httpRequest(share: Double) -> FuzzTarget {
        FuzzTarget("http", share: share, tokens: httpTokens) { input in
            let parsed: (request: HTTPRequest, bytes: Int)?
            do throws(HTTPRefusal) {
                parsed = try HTTPRequest.parse(input)
            } catch {
                try require((400...599).contains(error.status.code), "the status \(error.status)")
                try require(!error.reason.isEmpty, "a refusal without a reason")
                return "\(error.status.code) \(error.reason.prefix(12))"
            }
            guard let (request, bytes) = parsed else { return "more" }
            return try described(request, bytes: bytes, of: input)
        }
    }

    private static func described(_ request: HTTPRequest, bytes: Int, of input: [UInt8]) throws -> String {
        let limits = HTTPRequestLimits()
        let alone = try HTTPRequest.parse(Array(input.prefix(bytes)))
        let isSane =
            (1...input.count).contains(bytes) && request.path.hasPrefix("/") && !request.path.contains("?")
            && request.body.count <= limits.bodyBytes && request.fields.count <= limits.fields
            && request.value(of: "host") != nil && request.fields.allSatisfy { $0.name == $0.name.lowercased() }
            && !request.fields.contains { $0.value.contains("\r") || $0.value.contains("\n") }
        try require(isSane, "the request \(request)")
        try require(
            alone?.request == request && alone?.bytes == bytes, "\(request) is another without what follows")
        return "\(request.method == "GET") \(request.keepsAlive) \(request.body.isEmpty) \(request.fields.count)"
    }
}
