// The page as a part of the daemon: its server's thread, its pictures' thread, and the token.

import Logging
import StatusPage
import StreamProtocol

/// Serves the page; started and stopped once.
final class PageService: Sendable {
    private struct Running: Sendable {
        let server: StatusServer
        let thread: WorkerThread
    }

    private let address: HTTPAddress
    private let token: String?
    private let page: LivePage
    private let sampler: PictureSampler
    private let lookout: Lookout
    private let metrics: (@Sendable () -> String)?
    private let running = Monitor<Running?>(nil)

    /// Reads the token; nothing listens yet.
    ///
    /// - Parameters:
    ///   - metrics: what `/metrics` answers; nil where there is no such route.
    /// - Throws: `TokenFileError`.
    init(
        address: HTTPAddress, tokenFile: String, sampler: PictureSampler, surroundings: LivePage.Surroundings,
        metrics: (@Sendable () -> String)? = nil
    ) throws(TokenFileError) {
        self.address = address
        token = tokenFile.isEmpty ? nil : try TokenFile.read(tokenFile)
        self.sampler = sampler
        lookout = surroundings.lookout
        self.metrics = metrics
        page = LivePage(sampler: sampler, surroundings: surroundings)
    }

    /// Listens and answers.
    ///
    /// - Returns: where it listens.
    /// - Throws: `HTTPListenError`.
    func start() throws(HTTPListenError) -> String {
        if let running = running.read({ $0 }) { return running.server.address }
        let server = try StatusServer(
            host: address.host, port: address.port, token: token, source: page, metrics: metrics)
        let thread = WorkerThread(name: "page") { server.run() }
        running.withLock { $0 = Running(server: server, thread: thread) }
        sampler.start()
        lookout.start()
        thread.start()
        return server.address
    }

    /// Ends the server. Harmless at any time.
    func stop() {
        sampler.stop()
        lookout.stop()
        guard let running = running.read({ $0 }) else { return }
        running.server.stop()
        running.thread.join()
    }
}
