// Receives a daemon's assignments and tells them one by one, with what was missed and what happens to the connection.
//
// Numbers are followed only where all sources are watched: the daemon numbers its assignments across sources.

import StreamProtocol
import ZeroMQ

/// Watches one daemon; for one run.
public final class Watcher {
    /// What has been heard.
    public private(set) var tally = WatchTally()
    /// Whether the watch has ended because the reader of its output has gone.
    public private(set) var hasLostReader = false

    private static let patience = Duration.seconds(1)
    private static let idleInterval = Duration.milliseconds(250)

    private let settings: WatchSettings
    private let stop: StopSignal
    private var numbering = NumberingTracker()
    private var checkpoint: String?
    private var firstArrived: ContinuousClock.Instant?

    /// Creates a watcher that has not connected.
    public init(settings: WatchSettings, stop: StopSignal) {
        self.settings = settings
        self.stop = stop
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
        var monitor = try SocketMonitor(socket, context: context)
        var poller = Poller()
        _ = poller.add(socket, for: .readable)
        _ = monitor.add(to: &poller)
        _ = poller.add(descriptor: stop.descriptor, for: .readable)
        let outputToken = output.map { poller.add(descriptor: $0, for: .error) }
        try socket.connect(settings.endpoint)

        let start = ContinuousClock.now
        var hasToldWait = false
        while !stop.isRequested {
            while let event = try monitor.next() {
                let news: WatchEvent? =
                    switch event {
                    case .connected: .connected
                    case .disconnected: .connectionLost
                    case .handshakeFailed: nil
                    }
                if let news, !tell(news) { return }
            }
            while !stop.isRequested, let message = try socket.tryReceive() {
                for event in events(of: message) where !tell(event) { return }
                if let count = settings.count, tally.assignments >= count {
                    _ = tell(.idle)
                    return
                }
            }
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

    private var topics: [String] {
        guard let source = settings.source else {
            return [
                AssignmentMessage.topicPrefix, RejectedMessage.topicPrefix, HeartbeatMessage.topic,
                CheckpointMessage.topic,
            ]
        }
        // A subscription is a prefix: that of `rejected/cam1` includes cam10, which is left out later.
        return [
            "\(AssignmentMessage.topicPrefix)\(source)/", RejectedMessage.topicPrefix + source, CheckpointMessage.topic,
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
            count(assignment)
            let missed = note(numbering.assignment(epoch: assignment.epoch, sequence: assignment.sequence))
            return missed + [.assignment(assignment, json: Self.onOneLine(frames[1]))]
        case .rejected(let rejected):
            guard settings.source == nil || settings.source == rejected.source else { return [] }
            tally.rejected += 1
            return [.rejected(rejected)]
        case .heartbeat(let heartbeat):
            return note(numbering.heartbeat(epoch: heartbeat.epoch, last: heartbeat.sequence))
        case .checkpoint(let announced):
            // Announced again and again, for those who come late.
            guard announced.id != checkpoint else { return [] }
            checkpoint = announced.id
            return [.checkpoint(announced)]
        case .relabeling, .other: return []
        }
    }

    private func count(_ assignment: AssignmentMessage) {
        let now = ContinuousClock.now
        if firstArrived == nil { firstArrived = now }
        tally.elapsed = now - firstArrived!
        tally.assignments += 1
        tally.clusters[assignment.cluster, default: 0] += 1
    }

    private func note(_ findings: [NumberingTracker.Finding]) -> [WatchEvent] {
        guard settings.source == nil else { return [] }
        return findings.map { finding in
            switch finding {
            case .newEpoch(let epoch): return .newEpoch(epoch)
            case .missing(let range):
                tally.missing =
                    tally.missing.addingReportingOverflow(range.length).overflow ? .max : tally.missing + range.length
                return .missing(range)
            }
        }
    }

    /// JSON has no line breaks but between its tokens.
    private static func onOneLine(_ json: [UInt8]) -> [UInt8] {
        let breaks: Set<UInt8> = [UInt8(ascii: "\n"), UInt8(ascii: "\r")]
        return json.contains(where: breaks.contains) ? json.map { breaks.contains($0) ? UInt8(ascii: " ") : $0 } : json
    }
}
