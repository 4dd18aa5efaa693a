// The page's routing table: from a path to what answers it.

import StreamProtocol

/// Answers requests.
struct PageRoutes: Sendable {
    /// The operations that the page has buttons for.
    static let actions: Set<String> = ["save", "reload", "rollback", "pause", "resume"]

    let source: any PageSource
    let doorkeeper: Doorkeeper
    let metrics: (@Sendable () -> String)?

    /// The answer to a request.
    func answer(_ request: HTTPRequest) -> HTTPServer.Answer {
        switch route(request) {
        case .now(let response): .now(response.guarded)
        case .later(let begin): .later { reply in begin { reply($0.guarded) } }
        case .stream(let response, let first): .stream(response.guarded, first: first)
        }
    }

    /// What a client whose request cannot be read is told.
    static func answer(_ refusal: HTTPRefusal) -> HTTPResponse {
        HTTPResponse.text(refusal.status, refusal.reason).guarded
    }

    private func route(_ request: HTTPRequest) -> HTTPServer.Answer {
        // Before all else: whoever supervises the daemon has neither a token nor a name for it.
        switch request.path {
        case "/healthz": return reading(request) { health(source.illness) }
        case "/readyz": return reading(request) { health(source.isReady ? nil : "not ready") }
        default: break
        }
        if let refusal = doorkeeper.refusal(of: request) { return .now(refusal) }
        switch request.path {
        case "/events":
            return request.method == "GET" ? events() : .now(Self.onlyReading)
        case "/metrics":
            guard let metrics else { return .now(Self.notFound) }
            return reading(request) {
                HTTPResponse(type: "text/plain; version=0.0.4; charset=utf-8", body: Array(metrics().utf8))
            }
        case "/api/checkpoints":
            guard Self.isReading(request) else { return .now(Self.onlyReading) }
            return performing(ControlRequest("checkpoints"))
        case let path where path.hasPrefix("/api/"):
            let name = String(path.dropFirst("/api/".count))
            if let document = PageDocument(rawValue: name) {
                return reading(request) { .json(source.document(document)) }
            }
            return Self.actions.contains(name) ? action(name, request) : .now(Self.notFound)
        case let path where path.hasPrefix("/pictures/"):
            return reading(request) { picture(path.dropFirst("/pictures/".count)) }
        case let path:
            guard let asset = Asset.all[path] else { return .now(Self.notFound) }
            return reading(request) { file(asset, request) }
        }
    }

    private func reading(_ request: HTTPRequest, _ answer: () -> HTTPResponse) -> HTTPServer.Answer {
        .now(Self.isReading(request) ? answer() : Self.onlyReading)
    }

    private static func isReading(_ request: HTTPRequest) -> Bool {
        request.method == "GET" || request.method == "HEAD"
    }

    private static let notFound = HTTPResponse.text(.notFound, "There is nothing here.")
    private static let onlyReading = HTTPResponse.text(
        .methodNotAllowed, "This can only be read.", fields: [HTTPRequest.Field("allow", "GET, HEAD")])

    // MARK: Reading

    private func health(_ problem: String?) -> HTTPResponse {
        .text(
            problem == nil ? .ok : .unavailable, problem ?? "ok",
            fields: [HTTPRequest.Field("cache-control", "no-store")])
    }

    private func file(_ asset: Asset, _ request: HTTPRequest) -> HTTPResponse {
        // Asked for anew each time: another version of the daemon has another page.
        let fields = [HTTPRequest.Field("etag", asset.tag), HTTPRequest.Field("cache-control", "no-cache")]
        let known = (request.value(of: "if-none-match") ?? "").split(separator: ",")
        if known.contains(where: { $0.drop { $0 == " " } == asset.tag }) {
            return HTTPResponse(.notModified, type: asset.type, body: [], fields: fields)
        }
        return HTTPResponse(type: asset.type, body: asset.body, fields: fields)
    }

    private func picture(_ name: Substring) -> HTTPResponse {
        guard let id = UInt64(name), let file = source.picture(id) else { return Self.notFound }
        // Numbers of pictures are never used again, not by another run either.
        let cache = HTTPRequest.Field("cache-control", "private, max-age=3600, immutable")
        return HTTPResponse(type: "image/jpeg", body: file, fields: [cache])
    }

    private func events() -> HTTPServer.Answer {
        let response = HTTPResponse(
            type: "text/event-stream", body: [], fields: [HTTPRequest.Field("cache-control", "no-store")])
        // A page whose daemon is gone looks again every two seconds.
        return .stream(response, first: Array("retry: 2000\n\n".utf8) + source.welcome().flatMap(\.bytes))
    }

    // MARK: Acting

    private func action(_ name: String, _ request: HTTPRequest) -> HTTPServer.Answer {
        guard request.method == "POST" else {
            return .now(.text(.methodNotAllowed, "An action is a POST.", fields: [HTTPRequest.Field("allow", "POST")]))
        }
        if let refusal = doorkeeper.refusalToAct(request) { return .now(refusal) }
        var arguments: [String: JSON] = [:]
        if name == "reload" {
            // By its number only: a path is for those who have a shell on the machine.
            guard let id = (try? JSON(parsing: request.body))?.members?["id"]?.text else {
                return .now(.text(.badRequest, "A reload names a checkpoint: {\"id\": …}."))
            }
            arguments["id"] = .string(id)
        }
        return performing(ControlRequest(name, arguments))
    }

    private func performing(_ request: ControlRequest) -> HTTPServer.Answer {
        .later { [source] reply in
            source.perform(request) { frames in
                reply(.json(frames.first ?? [], status: Self.status(frames)))
            }
        }
    }

    private static func status(_ frames: [[UInt8]]) -> HTTPStatus {
        do throws(ControlFailure) {
            _ = try ControlReply(frames: frames)
            return .ok
        } catch {
            switch ControlFailure.Code(rawValue: error.code) {
            case .invalidArgument: return .badRequest
            case .notFound: return .notFound
            case .refused: return .conflict
            case .unavailable: return .unavailable
            default: return .failed
            }
        }
    }
}

extension HTTPResponse {
    fileprivate static func json(_ value: JSON) -> Self {
        var writer = JSONWriter()
        value.write(to: &writer)
        return json(writer.bytes)
    }

    fileprivate static func json(_ body: [UInt8], status: HTTPStatus = .ok) -> Self {
        HTTPResponse(
            status, type: "application/json", body: body, fields: [HTTPRequest.Field("cache-control", "no-store")])
    }

    /// The answer with what tells a browser to run, load and show nothing but the page's own files, and only by itself.
    fileprivate var guarded: Self {
        var response = self
        let policy =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
            + "trusted-types 'none'"
        response.fields += [
            HTTPRequest.Field("content-security-policy", policy),
            HTTPRequest.Field("x-content-type-options", "nosniff"),
            HTTPRequest.Field("referrer-policy", "no-referrer"),
            HTTPRequest.Field("cross-origin-resource-policy", "same-origin"),
            HTTPRequest.Field("cross-origin-opener-policy", "same-origin"),
        ]
        return response
    }
}
