// The page's server put together: sockets, routes and who may use them.
//
// The server is ours, not FlyingFox's, which would serve from Swift's concurrency: that reads header lines of any length, has no
// bound on connections nor on how long one may stay silent, and ends for good when the system has no file left for a
// client. None of this can be added from outside.

/// Serves the page, health and metrics.
package final class StatusServer: Sendable {
    private let server: HTTPServer

    /// Where it listens, as ADDRESS:PORT with the port that the system chose.
    package var address: String { server.address }

    /// Listens; nobody is answered until `run`.
    ///
    /// - Parameters:
    ///   - host: an IPv4 address, a name of one, or `*`.
    ///   - port: 0 is one that the system picks.
    ///   - token: what readers must show; without one `host` has to be on loopback.
    ///   - metrics: the text that `/metrics` answers; nil where there is no such route.
    /// - Throws: `HTTPListenError`.
    package init(
        host: String, port: Int, token: String?, source: any PageSource, metrics: (@Sendable () -> String)? = nil,
        limits: HTTPServerLimits = HTTPServerLimits()
    ) throws(HTTPListenError) {
        let routes = PageRoutes(source: source, doorkeeper: Doorkeeper(token: token), metrics: metrics)
        server = try HTTPServer(
            host: host, port: port, limits: limits,
            handlers: .init(
                answer: { routes.answer($0) }, refuse: { PageRoutes.answer($0) },
                tick: { streams in source.tick(readers: streams).flatMap(\.bytes) }))
    }

    /// Serves until `stop`, on the thread that calls.
    package func run() { server.run() }

    /// Has `run` return soon. Harmless at any time.
    package func stop() { server.stop() }
}
