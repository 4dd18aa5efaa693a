// A socket whose peers are known: what the ways of handing images over wait with. Its failures are a feed's.

import Remote
import ZeroMQ

/// A socket with its monitor and a poller that hears the stop signal too.
final class LinkSocket {
    /// How long a wait lasts at most before its reason is told again.
    private static let slice = Duration.milliseconds(100)

    private var socket: Socket
    private var monitor: SocketMonitor
    private var poller: Poller
    private let socketToken: Poller.Token
    private let tell: (LinkEvent) -> Void

    /// Since when nobody has been there; nil while somebody is.
    private var absentSince: ContinuousClock.Instant? = .now
    private var hasHadPeer = false
    private var hasToldFailure = false

    private init(
        _ socket: consuming Socket, _ monitor: consuming SocketMonitor, stop: StopSignal,
        tell: @escaping (LinkEvent) -> Void
    ) {
        poller = Poller()
        socketToken = poller.add(socket, for: .writable)
        _ = monitor.add(to: &poller)
        _ = poller.add(descriptor: stop.descriptor, for: .readable)
        self.socket = socket
        self.monitor = monitor
        self.tell = tell
    }

    /// Opens a socket and binds or connects it.
    ///
    /// - Parameter configure: sets options that must be set before.
    static func open(
        _ kind: SocketKind, settings: FeedSettings, context: ZeroMQContext, stop: StopSignal,
        tell: @escaping (LinkEvent) -> Void, configure: (inout Socket) throws(ZeroMQError) -> Void = { _ in }
    ) throws(FeedError) -> LinkSocket {
        do throws(ZeroMQError) {
            var socket = try context.socket(kind)
            try configure(&socket)
            if let curve = settings.curve { try socket.useCurve(curve) }
            let monitor = try SocketMonitor(socket, context: context)
            if settings.binds { _ = try socket.bind(settings.endpoint) } else { try socket.connect(settings.endpoint) }
            return LinkSocket(socket, monitor, stop: stop, tell: tell)
        } catch {
            throw .socket(error)
        }
    }

    /// How many peers are connected.
    var peerCount: Int { monitor.peerCount }

    /// How long nobody has been there.
    var absence: Duration { absentSince.map { .now - $0 } ?? .zero }

    /// Takes note of who has come and gone.
    func updatePeers() throws(FeedError) {
        while let event = try FeedError.catching({ () throws(ZeroMQError) in try monitor.next() }) {
            switch event {
            case .connected:
                if hasHadPeer, absentSince != nil { tell(.connectionRestored) }
                hasHadPeer = true
                absentSince = nil
            case .disconnected where monitor.peerCount == 0:
                absentSince = .now
                tell(.connectionLost)
            case .disconnected: break
            case .handshakeFailed(let failure):
                if !hasHadPeer, !hasToldFailure { tell(.handshakeFailed(failure)) }
                hasToldFailure = true
            }
        }
    }

    /// `Socket.trySend`.
    func trySend(_ message: [[UInt8]]) throws(FeedError) -> Bool {
        try FeedError.catching { () throws(ZeroMQError) in try socket.trySend(message) }
    }

    /// `Socket.tryReceive`.
    func tryReceive() throws(FeedError) -> ReceivedMessage? {
        try FeedError.catching { () throws(ZeroMQError) in try socket.tryReceive() }
    }

    /// How long what is queued may still be sent once this is gone.
    func setLinger(_ linger: Duration) throws(FeedError) {
        try FeedError.catching { () throws(ZeroMQError) in try socket.set(.linger, linger) }
    }

    /// Waits a moment, less where the socket is ready, somebody comes or goes or the stop signal is given, and tells why
    /// unless it was very short.
    ///
    /// - Parameters:
    ///   - interest: what of the socket to wait for; an XPUB socket cannot tell when there is room, and is tried again soon.
    func wait(for interest: PollEvents, because obstacle: FeedProgress.Obstacle) throws(FeedError) {
        poller.setInterest(socketToken, interest)
        let isBlind = interest.isEmpty && obstacle == .receiverBusy
        let moment = Duration.milliseconds(isBlind ? 1 : 5)
        if try FeedError.catching({ () throws(ZeroMQError) in try poller.wait(timeout: moment) }) { return }
        tell(.waiting(obstacle))
        if isBlind { return }
        _ = try FeedError.catching { () throws(ZeroMQError) in try poller.wait(timeout: Self.slice) }
    }
}
