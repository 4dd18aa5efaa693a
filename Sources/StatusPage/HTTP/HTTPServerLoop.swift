// What the server's thread does: waits for clients, reads requests, sends answers, and lets go of who takes too long.

import Glibc

/// The connections and their turns; it lives on the server's thread alone.
struct HTTPServerLoop: ~Copyable {
    private let listener: HTTPListener
    private let wakeup: HTTPWakeup
    private let handlers: HTTPServer.Handlers
    private let limits: HTTPServerLimits
    private let replier: (UInt64) -> HTTPServer.Replier
    private var connections: [HTTPConnection] = []
    private var nextID: UInt64 = 1
    private var nextTick: Milliseconds
    /// Until when no client is taken, after the system could not give one.
    private var restsUntil: Milliseconds = 0

    init(
        listener: consuming HTTPListener, wakeup: HTTPWakeup, handlers: HTTPServer.Handlers, limits: HTTPServerLimits,
        replier: @escaping (UInt64) -> HTTPServer.Replier
    ) {
        self.listener = listener
        self.wakeup = wakeup
        self.handlers = handlers
        self.limits = limits
        self.replier = replier
        nextTick = monotonicMilliseconds()
    }

    /// Linux's POLLRDHUP, which Swift's Glibc module does not show: the client has closed its side.
    private static let hangup: Int16 = 0x2000

    /// Waits for something to happen, at most until the next tick, and deals with it.
    mutating func turn() {
        var now = monotonicMilliseconds()
        let door = now >= restsUntil ? listener.file : -1
        var polled = [wakeup.file, door].map { pollfd(file: $0, events: POLLIN) }
        for connection in connections { polled.append(pollfd(file: connection.file, events: wanted(connection))) }
        let timeout = max(0, min(nextTick - now, 1000))
        _ = poll(&polled, nfds_t(polled.count), Int32(timeout))
        now = monotonicMilliseconds()

        if polled[0].revents != 0 { wakeup.clear() }
        for index in connections.indices where polled[index + 2].revents != 0 {
            serve(index, polled[index + 2].revents, now: now)
        }
        if now >= nextTick {
            tick(now: now)
            nextTick = max(nextTick + Int64(limits.tickMilliseconds), now)
        }
        letGo(now: now)
        if polled[1].revents != 0 { acceptAll(now: now) }
    }

    /// Gives a request that was answered elsewhere its answer; the client may have gone.
    mutating func finish(_ id: UInt64, _ response: HTTPResponse) {
        guard let index = connections.firstIndex(where: { $0.id == id }),
            case .waiting(let keepsAlive, let omitsBody) = connections[index].phase
        else { return }
        let now = monotonicMilliseconds()
        send(response, to: index, keepsAlive: keepsAlive, omitsBody: omitsBody, now: now)
        proceed(index, now: now)
        letGo(now: now)
    }

    /// Ends every connection.
    mutating func closeAll() {
        for connection in connections { close(connection.file) }
        connections = []
    }

    // MARK: Clients

    private func wanted(_ connection: HTTPConnection) -> Int32 {
        var events = Int32(Self.hangup)
        if connection.phase == .reading && connection.pending == 0 { events |= POLLIN }
        if connection.pending > 0 { events |= POLLOUT }
        return events
    }

    private mutating func acceptAll(now: Milliseconds) {
        // A few at a time, so that a flood of connections does not keep the others waiting.
        for _ in 0..<16 {
            guard let file = listener.accept() else {
                // Out of files, say: it would be ready again at once.
                if errno != EAGAIN && errno != EWOULDBLOCK && errno != ECONNABORTED && errno != EINTR {
                    restsUntil = now + 1000
                }
                return
            }
            var connection = HTTPConnection(id: nextID, file: file, now: now)
            nextID += 1
            if connections.count >= limits.connections, !makeRoom() {
                connection.end(with: refusal(.unavailable, "too many connections"), now: now)
                _ = connection.flush(now: now)
                close(file)
                continue
            }
            connections.append(connection)
        }
    }

    /// Ends the connection that has been idle for longest.
    private mutating func makeRoom() -> Bool {
        let idle = connections.indices.filter { connections[$0].isIdle }
        guard let oldest = idle.min(by: { connections[$0].lastTaken < connections[$1].lastTaken }) else { return false }
        close(connections[oldest].file)
        connections.remove(at: oldest)
        return true
    }

    private mutating func letGo(now: Milliseconds) {
        let limits = limits
        connections.removeAll { connection in
            guard connection.isOver(now: now, limits) else { return false }
            close(connection.file)
            return true
        }
    }

    private mutating func serve(_ index: Int, _ events: Int16, now: Milliseconds) {
        let events = Int32(events)
        if events & (POLLERR | POLLNVAL) != 0 { return end(index) }
        if events & POLLOUT != 0 {
            guard connections[index].flush(now: now) else { return end(index) }
            proceed(index, now: now)
        } else if events & POLLIN != 0 {
            let limit = limits.request.headBytes + limits.request.bodyBytes + 1
            guard connections[index].receive(limit: limit, now: now) else { return end(index) }
            proceed(index, now: now)
        } else if events & (Int32(Self.hangup) | POLLHUP) != 0 {
            end(index)
        }
    }

    /// Forgets what the client has yet to take: `letGo` closes it.
    private mutating func end(_ index: Int) {
        let old = connections[index]
        connections[index] = HTTPConnection(id: old.id, file: old.file, now: old.since)
        connections[index].phase = .ending
    }

    // MARK: Requests

    /// Answers what has come whole, one request after another, each once the answer before it has been taken.
    private mutating func proceed(_ index: Int, now: Milliseconds) {
        while connections[index].phase == .reading, connections[index].pending == 0,
            !connections[index].input.isEmpty
        {
            do throws(HTTPRefusal) {
                guard let (request, bytes) = try HTTPRequest.parse(connections[index].input, limits: limits.request)
                else { return }
                connections[index].drop(bytes)
                connections[index].since = now
                answer(request, index, now: now)
            } catch {
                refuse(index, error, now: now)
            }
        }
    }

    private mutating func refuse(_ index: Int, _ refusal: HTTPRefusal, now: Milliseconds) {
        let bytes = handlers.refuse(refusal).bytes(keepsAlive: false, omitsBody: false)
        connections[index].end(with: bytes, now: now)
        if !connections[index].flush(now: now) { end(index) }
    }

    private func refusal(_ status: HTTPStatus, _ reason: String) -> [UInt8] {
        handlers.refuse(HTTPRefusal(status: status, reason: reason)).bytes(keepsAlive: false, omitsBody: false)
    }

    private mutating func answer(_ request: HTTPRequest, _ index: Int, now: Milliseconds) {
        let omitsBody = request.method == "HEAD"
        switch handlers.answer(request) {
        case .now(let response):
            send(response, to: index, keepsAlive: request.keepsAlive, omitsBody: omitsBody, now: now)
        case .later(let begin):
            connections[index].phase = .waiting(keepsAlive: request.keepsAlive, omitsBody: omitsBody)
            begin(replier(connections[index].id))
        case .stream(let response, let first):
            guard connections.count(where: { $0.phase == .streaming }) < limits.streams else {
                return refuse(
                    index, HTTPRefusal(status: .unavailable, reason: "too many readers of events"), now: now)
            }
            connections[index].phase = .streaming
            connections[index].send(response.head(keepsAlive: false, length: nil) + first, now: now)
            if !connections[index].flush(now: now) { end(index) }
        }
    }

    private mutating func send(
        _ response: HTTPResponse, to index: Int, keepsAlive: Bool, omitsBody: Bool, now: Milliseconds
    ) {
        connections[index].phase = keepsAlive ? .reading : .ending
        connections[index].since = now
        connections[index].send(response.bytes(keepsAlive: keepsAlive, omitsBody: omitsBody), now: now)
        if !connections[index].flush(now: now) { end(index) }
    }

    private mutating func tick(now: Milliseconds) {
        let streams = connections.indices.filter { connections[$0].phase == .streaming }
        let bytes = handlers.tick(streams.count)
        guard !bytes.isEmpty else { return }
        for index in streams {
            connections[index].send(bytes, now: now)
            if !connections[index].flush(now: now) { end(index) }
        }
    }
}

extension pollfd {
    fileprivate init(file: Int32, events: Int32) {
        self.init(fd: file, events: Int16(truncatingIfNeeded: events), revents: 0)
    }
}
