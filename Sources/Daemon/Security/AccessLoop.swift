// The work of AccessControl's thread: one question or event after another, none of which takes more than microseconds.

import Logging
import ZeroMQ

/// Answers authentication requests and takes the events of the endpoints' connections.
// Sendable: made and filled by the thread that owns the endpoints, then used by AccessControl's thread alone until that has
// ended; `stop` may be called by any.
final class AccessLoop: @unchecked Sendable {
    private final class Watched {
        let endpoint: String
        let token: Poller.Token
        var monitor: SocketMonitor

        init(_ monitor: consuming SocketMonitor, endpoint: String, poller: inout Poller) {
            self.endpoint = endpoint
            token = monitor.add(to: &poller)
            self.monitor = monitor
        }
    }

    /// How many events of one socket are taken before the next one's turn.
    private static let turn = 64

    private var handler: ZAPHandler?
    private let wakeup: Wakeup
    private let list: Monitor<[String: AllowedClients]>
    private let failures: HandshakeFailures
    private let logger: Logger
    private let isStopped = Monitor(false)
    private var poller = Poller()
    private let handlerToken: Poller.Token
    private let wakeupToken: Poller.Token
    private var watched: [Watched] = []

    init(
        handler: consuming ZAPHandler, wakeup: Wakeup, list: Monitor<[String: AllowedClients]>,
        failures: HandshakeFailures, logger: Logger
    ) {
        handlerToken = handler.add(to: &poller)
        wakeupToken = poller.add(descriptor: wakeup.descriptor, for: .readable)
        self.handler = consume handler
        self.wakeup = wakeup
        self.list = list
        self.failures = failures
        self.logger = logger
    }

    func watch(_ monitor: consuming SocketMonitor, endpoint: String) {
        watched.append(Watched(monitor, endpoint: endpoint, poller: &poller))
        failures.peers.withLock { $0[endpoint] = 0 }
    }

    func stop() {
        isStopped.withLock { $0 = true }
        wakeup.signal()
    }

    func run() {
        while !isStopped.read({ $0 }) {
            do {
                _ = try poller.wait()
            } catch {
                logger.critical("who may connect cannot be told any more, so nobody may: \(error)")
                handler = nil
                return
            }
            if poller.events(of: wakeupToken) == .readable { wakeup.clear() }
            answerRequests()
            for socket in watched where poller.events(of: socket.token) == .readable { takeEvents(of: socket) }
        }
    }

    // MARK: Requests

    private func answerRequests() {
        do {
            for _ in 0..<Self.turn where try handler?.answer(decide) != true { return }
        } catch {
            logger.critical("the handler of authentication failed, so no encrypted connection is accepted: \(error)")
            handler = nil
        }
    }

    private func decide(_ request: Result<ZAPRequest, ZAPRequest.Malformed>) -> ZAPReply {
        switch request {
        case .failure(let malformed):
            logger.error("an authentication request is malformed", metadata: ["reason": "\(malformed.reason)"])
            return .denied
        case .success(let request):
            guard let key = request.curveKey, let clients = list.read({ $0[request.domain] }), clients.admits(key)
            else {
                refuse(request)
                return .denied
            }
            return .accepted(user: key.z85)
        }
    }

    private func refuse(_ request: ZAPRequest) {
        let count = failures.count(.denied, at: request.domain)
        logger.log(
            level: count.isLogged ? .warning : .debug, "a client was not let in: its key is not listed",
            metadata: [
                "endpoint": "\(request.domain)", "address": "\(request.address)",
                "key": "\(request.curveKey?.z85 ?? "none")", "count": "\(count)",
            ])
    }

    // MARK: Events

    private func takeEvents(of socket: Watched) {
        defer { failures.peers.withLock { $0[socket.endpoint] = socket.monitor.peerCount } }
        do {
            for _ in 0..<Self.turn {
                guard let event = try socket.monitor.next() else { return }
                guard case .handshakeFailed(let failure) = event else { continue }
                // Those that this endpoint denies have been counted when it was asked about them.
                let isOurDenial = failure == .denied && list.read { $0[socket.endpoint] != nil }
                if !isOurDenial { report(failure, at: socket.endpoint) }
            }
        } catch {
            logger.error("the connections of \(socket.endpoint) cannot be watched: \(error)")
            poller.setInterest(socket.token, [])
        }
    }

    private func report(_ failure: HandshakeFailure, at endpoint: String) {
        let count = failures.count(failure, at: endpoint)
        logger.log(
            level: count.isLogged ? .warning : .debug, "a handshake failed",
            metadata: ["endpoint": "\(endpoint)", "reason": "\(failure.rawValue)", "count": "\(count)"])
    }
}
