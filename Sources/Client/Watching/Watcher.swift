// Receives a daemon's assignments and tells them one by one in the order of their numbers, with what happens to the
// connection. What did not arrive is asked for, so that each is told once however often the watch is cut off.
//
// The daemon numbers its assignments across sources, so a watch of one source receives those of all.

import Remote
import StreamProtocol
import ZeroMQ

/// Watches one daemon; for one run.
public final class Watcher {
    /// What has been heard.
    public private(set) var tally = WatchTally()
    /// Whether the watch has ended because the reader of its output has gone.
    public private(set) var hasLostReader = false

    /// How long a missing assignment is waited for while the daemon is there.
    private static let replayPatience = Duration.seconds(10)
    private static let patience = Duration.seconds(1)
    /// How many messages are read before what is missing is looked after.
    private static let turn = 1000
    private static let idleInterval = Duration.milliseconds(250)

    private let settings: WatchSettings
    private let stop: StopSignal
    private var sequence: AssignmentSequence
    private var checkpoint: String?
    private var firstArrived: ContinuousClock.Instant?

    /// Creates a watcher that has not connected.
    public init(settings: WatchSettings, stop: StopSignal) {
        self.settings = settings
        self.stop = stop
        sequence = AssignmentSequence(epoch: settings.epoch, start: settings.start)
    }

    /// Watches until the count is reached, the stop signal is given, or `tell` returns false.
    ///
    /// - Parameters:
    ///   - output: a descriptor that what is told is written to; a reader that goes ends the watch, even when nothing comes.
    ///   - tell: takes each event and says whether to go on.
    /// - Throws: `ZeroMQError`, among others where the endpoint is malformed.
    public func run(output: Int32? = nil, tell: (WatchEvent) -> Bool) throws(ZeroMQError) {
        let context = try ZeroMQContext(linger: .zero)
        var socket = try context.socket(.sub)
        // Enough for a burst while a terminal scrolls; what exceeds it is dropped by the daemon, and seen as a gap.
        try socket.set(.receiveHighWaterMark, 100_000)
        for topic in topics { try socket.set(.subscribe, Array(topic.utf8)) }
        if let curve = settings.curve { try socket.useCurve(curve) }
        var monitor = try SocketMonitor(socket, context: context)
        var poller = Poller()
        _ = poller.add(socket, for: .readable)
        _ = monitor.add(to: &poller)
        _ = poller.add(descriptor: stop.descriptor, for: .readable)
        let outputToken = output.map { poller.add(descriptor: $0, for: .error) }
        let link = try settings.control.map { (endpoint) throws(ZeroMQError) in
            try ReplayLink(endpoint: endpoint, curve: settings.curve, context: context)
        }
        link?.add(to: &poller)
        let filler = GapFiller(link: link, patience: Self.replayPatience)
        try socket.connect(settings.endpoint)

        let start = ContinuousClock.now
        var hasToldWait = false
        var failures: Set<HandshakeFailure> = []
        while !stop.isRequested {
            while let event = try monitor.next() {
                let news: WatchEvent? =
                    switch event {
                    case .connected: .connected
                    case .disconnected: .connectionLost
                    case .handshakeFailed(let failure):
                        failures.insert(failure).inserted ? .handshakeFailed(failure) : nil
                    }
                if news == .connectionLost { filler.connectionLost() }
                if let news, !tell(news) { return }
            }
            for _ in 0..<Self.turn where !stop.isRequested {
                guard let message = try socket.tryReceive() else { break }
                guard show(events(of: message), tell) else { return }
            }
            let filling = try filler.fill(&sequence, isConnected: monitor.peerCount > 0)
            tally.replayed += filling.replayed
            tally.malformed += filling.malformed.count
            guard show(filling.malformed.map { .malformed($0) } + events(of: filling.outputs), tell) else { return }
            if !hasToldWait, monitor.peerCount == 0, tally == WatchTally(), .now - start > Self.patience {
                hasToldWait = true
                if !tell(.waiting) { return }
            }
            guard tell(.idle) else { return }
            _ = try poller.wait(timeout: Self.idleInterval)
            if let outputToken, poller.events(of: outputToken).contains(.error) {
                hasLostReader = true
                return
            }
        }
    }

    /// Tells events, counting the assignments among them.
    ///
    /// - Returns: whether to go on.
    private func show(_ events: [WatchEvent], _ tell: (WatchEvent) -> Bool) -> Bool {
        for event in events {
            if case .assignment(let assignment, _) = event { count(assignment) }
            guard tell(event) else { return false }
            if case .assignment = event, let count = settings.count, tally.assignments >= count {
                _ = tell(.idle)
                return false
            }
        }
        return true
    }

    /// Whether numbers are followed: they are the same for all sources, so all must be heard.
    private var followsNumbers: Bool { settings.control != nil || settings.source == nil }

    private var topics: [String] {
        // A subscription is a prefix: that of `rejected/cam1` includes cam10, which is left out later.
        let rejected = RejectedMessage.topicPrefix + (settings.source ?? "")
        return followsNumbers
            ? [
                AssignmentMessage.topicPrefix, rejected, HeartbeatMessage.topic, CheckpointMessage.topic,
                RelabelingMessage.topic,
            ]
            : [
                "\(AssignmentMessage.topicPrefix)\(settings.source!)/", rejected, CheckpointMessage.topic,
                RelabelingMessage.topic,
            ]
    }

    private func events(of message: ReceivedMessage) -> [WatchEvent] {
        do throws(MalformedMessage) {
            guard case .frames(let frames) = message else {
                throw MalformedMessage(topic: "", reason: "larger than any message of a daemon")
            }
            return events(of: try PublishedMessage(frames: frames), frames)
        } catch {
            tally.malformed += 1
            return [.malformed(error)]
        }
    }

    private func events(of message: PublishedMessage, _ frames: [[UInt8]]) -> [WatchEvent] {
        switch message {
        case .assignment(let assignment):
            let delivery = AssignmentSequence.Delivery(message: assignment, json: frames[1])
            return events(of: followsNumbers ? sequence.published(delivery) : [.assignment(delivery)])
        case .rejected(let rejected):
            guard settings.source == nil || settings.source == rejected.source else { return [] }
            tally.rejected += 1
            return [.rejected(rejected)]
        case .heartbeat(let heartbeat):
            return events(of: sequence.heartbeat(epoch: heartbeat.epoch, last: heartbeat.sequence))
        case .checkpoint(let announced):
            // Announced again and again, for those who come late.
            guard announced.id != checkpoint else { return [] }
            checkpoint = announced.id
            return [.checkpoint(announced)]
        case .relabeling(let relabeling): return [.relabeling(relabeling)]
        case .other: return []
        }
    }

    private func count(_ assignment: AssignmentMessage) {
        let now = ContinuousClock.now
        if firstArrived == nil { firstArrived = now }
        tally.elapsed = now - firstArrived!
        tally.assignments += 1
        tally.clusters[assignment.cluster, default: 0] += 1
    }

    private func events(of outputs: [AssignmentSequence.Output]) -> [WatchEvent] {
        outputs.compactMap { output in
            switch output {
            case .assignment(let delivery):
                guard settings.source == nil || settings.source == delivery.message.source else { return nil }
                return .assignment(delivery.message, json: Self.onOneLine(delivery.json))
            case .missing(let range):
                let (sum, overflow) = tally.missing.addingReportingOverflow(range.length)
                tally.missing = overflow ? .max : sum
                return .missing(range)
            case .unknownEnd(let epoch, let last): return .unknownEnd(epoch: epoch, after: last)
            case .newEpoch(let epoch): return .newEpoch(epoch)
            }
        }
    }

    /// JSON has no line breaks but between its tokens.
    private static func onOneLine(_ json: [UInt8]) -> [UInt8] {
        let breaks: Set<UInt8> = [UInt8(ascii: "\n"), UInt8(ascii: "\r")]
        return json.contains(where: breaks.contains) ? json.map { breaks.contains($0) ? UInt8(ascii: " ") : $0 } : json
    }
}
