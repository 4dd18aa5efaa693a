// REQ: each image is answered before the next is sent, so it is known to have been admitted.
//
// A request whose connection broke, or that was not answered in half of the timeout, is sent again on a fresh socket (a REQ
// socket cannot send twice), as soon as there is a receiver. It may then have the image twice, with the same number.

import Remote
import StreamProtocol
import ZeroMQ

/// Hands images over as requests.
final class RequestLink: FeedLink {
    private static let mostAttempts = 5

    private let settings: FeedSettings
    private let stop: StopSignal
    private let tell: (LinkEvent) -> Void
    private let context: ZeroMQContext
    private var link: LinkSocket?

    init(settings: FeedSettings, stop: StopSignal, tell: @escaping (LinkEvent) -> Void) throws(FeedError) {
        self.settings = settings
        self.stop = stop
        self.tell = tell
        context = try FeedError.catching { () throws(ZeroMQError) in try ZeroMQContext(linger: .zero) }
        link = try open()
    }

    func send(_ message: [[UInt8]], id: String) throws(FeedError) -> Bool {
        let start = ContinuousClock.now
        for attempt in 1...Self.mostAttempts {
            guard try waitForReceiver() else { return false }
            _ = try link!.trySend(message)
            switch try waitForReply() {
            case .answered(let reply):
                if case .refused(let reason, _) = reply { tell(.refused(id: id, reason: reason)) }
                return true
            case .stopped: return false
            case .outOfTime where attempt > 1:
                throw noReply(id, since: start, attempts: attempt)
            case .outOfTime, .connectionLost:
                tell(.resending(id: id))
                link = nil
                link = try open()
            }
        }
        throw noReply(id, since: start, attempts: Self.mostAttempts)
    }

    func finish(patience: Duration) throws(FeedError) { link = nil }

    private func open() throws(FeedError) -> LinkSocket {
        try LinkSocket.open(.req, settings: settings, context: context, stop: stop, tell: tell)
    }

    private func noReply(_ id: String, since start: ContinuousClock.Instant, attempts: Int) -> FeedError {
        .noReply(endpoint: settings.endpoint, waited: .now - start, id: id, attempts: attempts)
    }

    /// Waits until somebody can take a request.
    ///
    /// - Returns: false where the stop signal came first.
    private func waitForReceiver() throws(FeedError) -> Bool {
        while !stop.isRequested {
            try link!.updatePeers()
            if link!.peerCount > 0 { return true }
            guard link!.absence < settings.timeout else {
                throw .noReceiver(endpoint: settings.endpoint, waited: link!.absence, wants: .receiver, inDoubt: 0)
            }
            try link!.wait(for: [], because: .noReceiver)
        }
        return false
    }

    private enum Outcome {
        case answered(Reply)
        case connectionLost
        case outOfTime
        case stopped
    }

    private func waitForReply() throws(FeedError) -> Outcome {
        let start = ContinuousClock.now
        while true {
            if let message = try link!.tryReceive() {
                guard case .frames(let frames) = message, let frame = frames.first else { return .answered(.admitted) }
                return .answered(Reply(frame: frame))
            }
            if stop.isRequested { return .stopped }
            try link!.updatePeers()
            if link!.peerCount == 0 { return .connectionLost }
            guard ContinuousClock.now - start < settings.timeout / 2 else { return .outOfTime }
            try link!.wait(for: .readable, because: .receiverBusy)
        }
    }
}
