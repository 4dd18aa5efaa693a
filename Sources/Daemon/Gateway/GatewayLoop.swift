// What the Gateway's thread does: reads the sources in turn, publishes what is in the outbox, beats once a second.
//
// It never waits for anything but its sockets and the wake-up. Whoever is slow is felt through a queue: a source that
// blocks is not read while its queue is full, which ZeroMQ passes on to the senders.

import Logging
import StreamProtocol
import ZeroMQ

/// What the Gateway asks of its thread, and how far the thread is.
struct GatewayControl: Sendable {
    var endpoints: Gateway.Endpoints?
    var thread: WorkerThread?
    var stopsInput = false
    var finishes = false
    var inputIsStopped = false
}

/// The sockets and the thread's work on them.
// Sendable: made by the thread that starts the Gateway, then handed over to the Gateway's thread and used by it alone.
final class GatewayLoop: @unchecked Sendable {
    /// Where the sockets listen or connect, ports resolved.
    let endpoints: Gateway.Endpoints
    private let settings: GatewaySettings
    private let gateway: Gateway
    private let heartbeat: @Sendable () -> [[UInt8]]
    private var context: ZeroMQContext?
    private var publisher: Socket?
    private let control: ControlPort?
    private let controlToken: Poller.Token?
    private var sources: [(reader: SourceReader, token: Poller.Token)] = []
    private var firstSource = 0
    /// Set once the input is to be stopped: until when it is still read, and when it last brought something.
    private var drain: (deadline: ContinuousClock.Instant, lastArrival: ContinuousClock.Instant)?
    private var poller = Poller()
    private let wakeupToken: Poller.Token
    private let publisherToken: Poller.Token

    /// How long nothing must come for the senders' messages to have been read: loopback and local networks take less.
    private static let quiet = Duration.milliseconds(250)

    /// How many messages of one source are read before the next one's turn.
    private static let turn = 64

    /// Opens every socket.
    ///
    /// - Throws: `ZeroMQError` with the endpoint; no socket remains open then.
    init(
        gateway: Gateway, settings: GatewaySettings, heartbeat: @escaping @Sendable () -> [[UInt8]],
        onRequest: @escaping @Sendable (ReceivedMessage) -> Void
    ) throws(ZeroMQError) {
        let context = try ZeroMQContext(linger: settings.linger)
        var publisher = try context.socket(.xpub)
        try publisher.set(.sendHighWaterMark, settings.publishHighWaterMark)
        // All that subscribers send are topics.
        try publisher.set(.maxMessageSize, 64 << 10)
        try publisher.set(.tcpKeepalive, true)
        let publishEndpoint = try publisher.bind(settings.publishEndpoint)
        for source in settings.sources {
            let reader = try SourceReader(source, gateway: settings, context: context)
            sources.append((reader, reader.watch(in: &poller)))
        }
        control = try settings.controlEndpoint.map { (endpoint) throws(ZeroMQError) in
            try ControlPort(endpoint: endpoint, context: context, onRequest: onRequest)
        }
        controlToken = control?.watch(in: &poller)
        publisherToken = poller.add(publisher, for: .readable)
        wakeupToken = poller.add(descriptor: gateway.wakeup.descriptor, for: .readable)
        endpoints = Gateway.Endpoints(
            sources: sources.map(\.reader.endpoint), publisher: publishEndpoint, control: control?.endpoint)
        self.publisher = consume publisher
        self.context = context
        self.settings = settings
        self.gateway = gateway
        self.heartbeat = heartbeat
    }

    /// Works until `finishes` is asked for, then publishes what is left and closes everything.
    func run() {
        var nextHeartbeat = ContinuousClock.now
        while true {
            let (stopsInput, finishes) = gateway.control.read { ($0.stopsInput || $0.finishes, $0.finishes) }
            if finishes || (stopsInput && isDrained()) { closeSources() }
            if ContinuousClock.now >= nextHeartbeat {
                // Made before the outbox is emptied: what it says has been numbered goes out before it.
                let message = heartbeat()
                publishOutbox()
                publish(message)
                nextHeartbeat = .now + settings.heartbeatInterval
            } else {
                publishOutbox()
            }
            sendAnswers()
            if finishes { break }
            wait(until: drain == nil ? nextHeartbeat : min(nextHeartbeat, .now + Self.quiet / 2))
            readSources()
        }
        publisher = nil
        control?.close()
        // The poller keeps handles of sockets that are closed, and through them the context. Letting go of it ends the
        // context, and so waits, within the linger time, until subscribers have what was published.
        poller = Poller()
        context = nil
    }

    /// Whether what senders had already sent has been read: whether for a moment nothing has come, or the time for it is over.
    ///
    /// The sockets stay bound meanwhile: unbinding ends the connections too, with all that is under way on them.
    private func isDrained() -> Bool {
        guard let drain else {
            // A publisher goes on whether or not anybody listens, so there is no end of its messages to wait for.
            for source in sources where source.reader.settings.pattern == .sub { source.reader.close() }
            gateway.queues.admitWhatIsLeft()
            drain = (deadline: .now + settings.drainTime, lastArrival: .now)
            return false
        }
        if ContinuousClock.now >= drain.deadline {
            if !sources.isEmpty {
                gateway.logger.warning("senders were still sending; what they had sent and was not read yet is lost")
            }
            return true
        }
        // Silence counts only while every source is read.
        if sources.indices.contains(where: { !gateway.queues.mayRead(source: $0) }) { self.drain?.lastArrival = .now }
        return ContinuousClock.now - (self.drain?.lastArrival ?? .now) >= Self.quiet
    }

    private func wait(until moment: ContinuousClock.Instant) {
        for (index, source) in sources.enumerated() {
            poller.setInterest(source.token, gateway.queues.mayRead(source: index) ? .readable : [])
        }
        do {
            _ = try poller.wait(timeout: max(.zero, moment - .now))
            if poller.events(of: wakeupToken) == .readable { gateway.wakeup.clear() }
            if poller.events(of: publisherToken) == .readable {
                // Subscriptions: libzmq has already acted on them.
                for _ in 0..<Self.turn where try publisher?.tryReceive() == nil { break }
            }
        } catch {
            gateway.logger.error("the publisher failed: \(error)")
        }
        readRequests()
    }

    private func readRequests() {
        guard let control, let controlToken, poller.events(of: controlToken) == .readable else { return }
        do {
            try control.readRequests()
        } catch {
            gateway.logger.error("the control endpoint failed and is closed: \(error)")
            control.close()
        }
    }

    private func sendAnswers() {
        for answer in gateway.answers.takeAll() {
            do {
                try control?.send(answer)
            } catch {
                gateway.logger.error("a control answer could not be sent: \(error)")
            }
        }
    }

    private func readSources() {
        guard !sources.isEmpty else { return }
        for offset in 0..<sources.count {
            let index = (firstSource + offset) % sources.count
            guard poller.events(of: sources[index].token) == .readable else { continue }
            do {
                var messages = 0
                while messages < Self.turn, gateway.queues.mayRead(source: index),
                    let arrival = try sources[index].reader.next()
                {
                    handle(arrival, source: index)
                    messages += 1
                }
            } catch {
                gateway.logger.error("source \(sources[index].reader.settings.name) failed and is closed: \(error)")
                sources[index].reader.close()
            }
        }
        firstSource = (firstSource + 1) % sources.count
    }

    private func handle(_ arrival: Arrival, source: Int) {
        drain?.lastArrival = .now
        switch arrival {
        case .image(let image, let bytes):
            gateway.statistics.countReceived(source: image.source, bytes: bytes, number: image.sequence)
            let dropped = gateway.queues.offer(image, source: source)
            if dropped.allSatisfy({ $0.reason == .droppedOldest }) {
                gateway.statistics.countAdmitted(source: image.source)
            }
            for drop in dropped {
                let (image, reason) = (drop.image, drop.reason.rawValue)
                let count = gateway.statistics.countDropped(source: image.source, reason: drop.reason)
                gateway.logger.log(
                    level: count.isLogged ? .warning : .debug, "dropped an image",
                    metadata: ["source": "\(image.source)", "reason": "\(reason)", "count": "\(count)"])
                reject(source: image.source, id: image.id, reason: reason)
            }
        case .rejected(let rejection, let bytes):
            gateway.statistics.countReceived(source: rejection.source, bytes: bytes)
            let count = gateway.statistics.countRejected(source: rejection.source, reason: rejection.reason)
            gateway.logger.log(
                level: count.isLogged ? .notice : .debug, "rejected a message",
                metadata: [
                    "source": "\(rejection.source)", "reason": "\(rejection.reason)", "count": "\(count)",
                    "detail": "\(rejection.detail)",
                ])
            reject(source: rejection.source, id: rejection.id, reason: rejection.reason)
        }
    }

    private func reject(source: String, id: String?, reason: String) {
        publish(RejectedMessage(source: source, id: id, reason: reason).frames)
    }

    private func publishOutbox() {
        for message in gateway.outbox.takeAll() { publish(message) }
    }

    private func publish(_ message: [[UInt8]]) {
        do {
            // An XPUB socket never waits: it drops the message for a subscriber whose queue is full.
            _ = try publisher?.trySend(message)
        } catch {
            gateway.logger.error("a message could not be published: \(error)")
        }
    }

    private func closeSources() {
        guard !gateway.control.read(\.inputIsStopped) else { return }
        for source in sources { source.reader.close() }
        sources = []
        gateway.control.withLock { $0.inputIsStopped = true }
    }
}

extension UInt64 {
    /// Whether the log at its usual level tells of the event with this count: each power of ten does, so that somebody sees
    /// what is wrong and a hostile sender does not fill the disk.
    var isLogged: Bool {
        var count = self
        while count >= 10, count % 10 == 0 { count /= 10 }
        return count == 1
    }
}
