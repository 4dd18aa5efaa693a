// PUSH and PUB: images go into a short queue of libzmq, which sends them on its own.
//
// Both wait for a receiver before the first image and while there is no room, a publisher too (ZMQ_XPUB_NODROP), so that
// nothing is lost on this side. ZeroMQ acknowledges nothing: "sent" is what libzmq has accepted, and what has left this
// process is known only when its context has ended within LINGER. The queue is kept short, since its length bounds what can
// be in doubt, and memory.

import Remote
import StreamProtocol
import ZeroMQ

/// Hands images to a queue of libzmq.
final class QueueLink: FeedLink {
    /// How many messages may wait in libzmq for each peer.
    static let queueLength = 64

    private let settings: FeedSettings
    private let stop: StopSignal
    // Optional, since both are let go of one after the other.
    private var link: LinkSocket?
    private var context: ZeroMQContext?
    /// How many prefixes of the source's name are subscribed to, and since when none is; PUB only.
    private var subscriptions = 0
    private var unwantedSince = ContinuousClock.now
    private var accepted = 0

    init(settings: FeedSettings, stop: StopSignal, tell: @escaping (LinkEvent) -> Void) throws(FeedError) {
        self.settings = settings
        self.stop = stop
        let context = try FeedError.catching { () throws(ZeroMQError) in try ZeroMQContext(linger: .zero) }
        self.context = context
        // XPUB is a PUB that can tell who subscribes.
        link = try LinkSocket.open(
            settings.pattern == .pub ? .xpub : .push, settings: settings, context: context, stop: stop, tell: tell
        ) { socket throws(ZeroMQError) in
            try socket.set(.sendHighWaterMark, Self.queueLength)
            try socket.set(.maxReconnectInterval, .seconds(2))
            if settings.pattern == .pub { try socket.set(.xpubNoDrop, true) }
        }
    }

    func send(_ message: [[UInt8]], id: String) throws(FeedError) -> Bool {
        while !stop.isRequested {
            if let obstacle = try obstacle() {
                try waitOut(obstacle)
            } else if try link!.trySend(message) {
                accepted += 1
                return true
            } else {
                try waitOut(.receiverBusy)
            }
        }
        return false
    }

    func finish(patience: Duration) throws(FeedError) {
        guard accepted > 0 else {
            link = nil
            return
        }
        try link!.updatePeers()
        while link!.peerCount == 0, !stop.isRequested { try waitOut(.noReceiver) }
        let inDoubt = inDoubt
        guard link!.peerCount > 0 else {
            throw .noReceiver(
                endpoint: settings.endpoint, waited: link!.absence, wants: .receiver, inDoubt: inDoubt)
        }
        // Ending the context waits for the queue to empty, at most for LINGER: that it was quicker says that it is empty.
        // libzmq's timers count whole milliseconds and may expire one early, so LINGER is longer than what is compared.
        try link!.setLinger(patience + .milliseconds(20))
        let start = ContinuousClock.now
        link = nil
        context = nil
        let waited = ContinuousClock.now - start
        guard waited < patience else {
            throw .lastImagesStuck(endpoint: settings.endpoint, waited: waited, inDoubt: inDoubt)
        }
    }

    /// Why nothing may be handed over yet.
    private func obstacle() throws(FeedError) -> FeedProgress.Obstacle? {
        try link!.updatePeers()
        guard link!.peerCount > 0 else {
            unwantedSince = .now
            return .noReceiver
        }
        guard settings.pattern == .pub else { return nil }
        try updateSubscriptions()
        return subscriptions == 0 ? .noSubscriber : nil
    }

    private func waitOut(_ obstacle: FeedProgress.Obstacle) throws(FeedError) {
        switch obstacle {
        case .noSubscriber: try link!.wait(for: .readable, because: obstacle)
        case .receiverBusy where settings.pattern == .push: try link!.wait(for: .writable, because: obstacle)
        case .receiverBusy, .noReceiver: try link!.wait(for: [], because: obstacle)
        }
        try link!.updatePeers()
        let wants: FeedError.Wanted = obstacle == .noSubscriber ? .subscriber : .receiver
        let waited = obstacle == .noSubscriber ? .now - unwantedSince : link!.absence
        guard waited < settings.timeout else {
            throw .noReceiver(endpoint: settings.endpoint, waited: waited, wants: wants, inDoubt: inDoubt)
        }
    }

    /// An upper bound of the images that were accepted and have not left.
    private var inDoubt: Int { min(accepted, Self.queueLength * max(1, link?.peerCount ?? 1)) }

    /// XPUB receives `[1] + prefix` for a subscription and `[0] + prefix` when nobody is left who wants it.
    private func updateSubscriptions() throws(FeedError) {
        while let message = try link!.tryReceive() {
            guard case .frames(let frames) = message, let first = frames[0].first else { continue }
            guard settings.source.utf8.starts(with: frames[0].dropFirst()) else { continue }
            subscriptions += first == 1 ? 1 : -1
            if subscriptions == 0 { unwantedSince = .now }
        }
    }
}
