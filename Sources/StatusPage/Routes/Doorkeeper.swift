// Who may ask for what: against other web sites in the operator's browser, and with a token against everybody else.
//
// Without a token the daemon listens on loopback only, and whoever is on this machine may look and act. A browser is on this
// machine too and runs other people's programs: those may send requests here, but not under a name of ours (a site that has
// its name point to 127.0.0.1 still says its own name in Host), and not with a header field of their own choice, for which a
// browser asks permission that nobody gives here.

/// Lets requests through, or says why not.
package struct Doorkeeper: Sendable {
    /// The field that every action carries; no form and no other site's script can send it.
    package static let actionField = "x-clusterd-action"

    private let token: [UInt8]?

    /// Creates a doorkeeper.
    ///
    /// - Parameter token: what every request must show; nil where only this machine can send any.
    package init(token: String?) {
        precondition(token != "", "an empty token is everybody's")
        self.token = token.map { Array($0.utf8) }
    }

    /// Why a request is refused; nil where it is let through.
    func refusal(of request: HTTPRequest) -> HTTPResponse? {
        guard let token else {
            return Self.isOurName(request.value(of: "host") ?? "")
                ? nil
                : .text(
                    .misdirected,
                    "Without a token this page is served under the names localhost and 127.0.0.1 only.")
        }
        guard let shown = Self.credentials(request.value(of: "authorization") ?? ""), Self.equal(shown, token) else {
            return .text(
                .unauthorized, "This page wants the token of http.token_file, as a password or as a bearer token.",
                fields: [HTTPRequest.Field("www-authenticate", "Basic realm=\"clusterd\", charset=\"UTF-8\"")])
        }
        return nil
    }

    /// Why a request that changes something is refused, having been let through as such.
    func refusalToAct(_ request: HTTPRequest) -> HTTPResponse? {
        guard request.has(Self.actionField) else {
            return .text(.forbidden, "An action carries the header field \(Self.actionField).")
        }
        if let site = request.value(of: "sec-fetch-site"), site != "same-origin", site != "none" {
            return .text(.forbidden, "Another site cannot act here.")
        }
        if request.has("origin") {
            let host = request.value(of: "host") ?? ""
            let origin = request.value(of: "origin") ?? ""
            guard ["http://\(host)", "https://\(host)"].contains(origin) else {
                return .text(.forbidden, "Another site cannot act here.")
            }
        }
        guard request.body.isEmpty || (request.value(of: "content-type") ?? "").hasPrefix("application/json") else {
            return .text(.badRequest, "An action's arguments are application/json.")
        }
        return nil
    }

    /// Whether a Host is a name of the loopback interface, with any port: behind a tunnel it is another than ours.
    static func isOurName(_ host: String) -> Bool {
        var name = host[...]
        if let colon = name.lastIndex(of: ":"), !name.hasSuffix("]") {
            let port = name[name.index(after: colon)...]
            guard !port.isEmpty, port.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
            name = name[..<colon]
        }
        if name.lowercased() == "localhost" || name == "[::1]" { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// The token in a field `Authorization`: RFC 6750's bearer, or RFC 7617's password of any user.
    private static func credentials(_ field: String) -> [UInt8]? {
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        switch parts[0].lowercased() {
        case "bearer": return Array(parts[1].utf8)
        case "basic":
            guard let pair = base64(parts[1]), let colon = pair.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            return Array(pair[(colon + 1)...])
        default: return nil
        }
    }

    private static func base64(_ text: Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        var (bits, count) = (0, 0)
        for character in text.utf8.reversed().drop(while: { $0 == UInt8(ascii: "=") }).reversed() {
            let value: Int
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = Int(character) - 65
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = Int(character) - 71
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = Int(character) + 4
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: return nil
            }
            bits = (bits << 6 | value) & 0xFFFF
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return bytes
    }

    /// Whether two texts are equal, found out in a time that only depends on the length of what was shown.
    private static func equal(_ shown: [UInt8], _ token: [UInt8]) -> Bool {
        var difference = UInt8(shown.count == token.count ? 0 : 1)
        for (index, byte) in shown.enumerated() { difference |= byte ^ token[index % token.count] }
        return difference == 0
    }
}
