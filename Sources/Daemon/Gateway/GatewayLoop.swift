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
    private let access: AccessControl
    private let control: ControlPort?
    private let controlToken: Poller.Token?
    private let intake: SourceIntake
    private var poller = Poller()
    private let wakeupToken: Poller.Token
    private let publisherToken: Poller.Token

    /// How many subscriptions are read before the sources' turn.
    private static let turn = 64

    /// Opens every socket.
    ///
    /// - Throws: `ZeroMQError` with the endpoint; no socket remains open then.
    init(
        gateway: Gateway, settings: GatewaySettings, heartbeat: @escaping @Sendable () -> [[UInt8]],
        onRequest: @escaping @Sendable (ReceivedMessage) -> Void
    ) throws(ZeroMQError) {
        let context = try ZeroMQContext(linger: settings.linger)
        let access = try AccessControl(
            context: context, settings: settings, list: gateway.allowedClients,
            failures: gateway.handshakeFailures, logger: gateway.logger)
        var publisher = try context.socket(.xpub)
        try publisher.set(.sendHighWaterMark, settings.publishHighWaterMark)
        // All that subscribers send are topics.
        try publisher.set(.maxMessageSize, 64 << 10)
        try access.protect(&publisher, endpoint: GatewaySettings.publisherName)
        let publishEndpoint = try publisher.bind(settings.publishEndpoint)
        intake = try SourceIntake(
            gateway: gateway, settings: settings, context: context, access: access, poller: &poller)
        control = try settings.controlEndpoint.map { (endpoint) throws(ZeroMQError) in
            try ControlPort(endpoint: endpoint, context: context, access: access, onRequest: onRequest)
        }
        controlToken = control?.watch(in: &poller)
        publisherToken = poller.add(publisher, for: .readable)
        wakeupToken = poller.add(descriptor: gateway.wakeup.descriptor, for: .readable)
        endpoints = Gateway.Endpoints(
            sources: intake.endpoints, publisher: publishEndpoint, control: control?.endpoint)
        self.publisher = consume publisher
        self.context = context
        self.access = access
        self.settings = settings
        self.gateway = gateway
        self.heartbeat = heartbeat
    }

    /// Works until `finishes` is asked for, then publishes what is left and closes everything.
    func run() {
        gateway.mark.begin()
        defer { gateway.mark.end() }
        access.start()
        var nextHeartbeat = ContinuousClock.now
        while true {
            let (stopsInput, finishes) = gateway.control.read { ($0.stopsInput || $0.finishes, $0.finishes) }
            if finishes || (stopsInput && intake.drain()) { closeSources() }
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
            wait(until: stopsInput ? min(nextHeartbeat, .now + settings.quietTime / 2) : nextHeartbeat)
            intake.read(after: poller)
        }
        publisher = nil
        control?.close()
        access.stop()
        // The poller keeps handles of sockets that are closed, and through them the context. Letting go of it ends the
        // context, and so waits, within the linger time, until subscribers have what was published.
        poller = Poller()
        context = nil
    }

    private func wait(until moment: ContinuousClock.Instant) {
        intake.watch(in: &poller)
        do {
            _ = try gateway.mark.idle { () throws(ZeroMQError) in
                try poller.wait(timeout: max(.zero, moment - .now))
            }
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
        intake.close()
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
