// Asks a daemon's control endpoint, one request after another.
//
// A daemon that is not there is told from one that is at work: the first is given up on soon, the second only when the whole
// patience is over, since a training step may have to end before it can answer.

import StreamProtocol
import ZeroMQ

/// A client of one control endpoint.
public final class ControlClient {
    /// Where `clusterd serve` answers unless it is told otherwise.
    public static let defaultEndpoint = "tcp://127.0.0.1:5558"

    /// Where the daemon answers.
    public let endpoint: String
    /// How long an absent daemon is waited for, where the timeout is not shorter.
    private static let longestAbsence = Duration.seconds(5)

    private let timeout: Duration
    private let stop: StopSignal
    private let context: ZeroMQContext
    private var socket: Socket
    private var monitor: SocketMonitor
    private var poller: Poller

    /// Connects to a control endpoint, or begins to.
    ///
    /// - Parameters:
    ///   - curve: the keys; nil is without encryption.
    ///   - timeout: how long to wait for an answer.
    ///   - stop: ends a wait.
    /// - Throws: `ControlError` of the kind `socket`, such as for a malformed endpoint.
    public init(
        endpoint: String = defaultEndpoint, curve: CurveClient? = nil, timeout: Duration, stop: StopSignal
    ) throws(ControlError) {
        self.endpoint = endpoint
        self.timeout = timeout
        self.stop = stop
        do throws(ZeroMQError) {
            let context = try ZeroMQContext(linger: .zero)
            var socket = try context.socket(.dealer)
            if let curve { try socket.useCurve(curve) }
            let monitor = try SocketMonitor(socket, context: context)
            var poller = Poller()
            _ = poller.add(socket, for: .readable)
            _ = monitor.add(to: &poller)
            _ = poller.add(descriptor: stop.descriptor, for: .readable)
            try socket.connect(endpoint)
            self.context = context
            self.socket = socket
            self.monitor = monitor
            self.poller = poller
        } catch {
            throw .socket(error)
        }
    }

    /// Asks for an operation and waits for its answer.
    ///
    /// - Parameter repeats: whether it is asked again where the connection breaks meanwhile; for what changes nothing.
    /// - Returns: the answer.
    /// - Throws: `ControlError`.
    package func ask(
        _ operation: String, _ arguments: [String: JSON] = [:], repeats: Bool = false
    ) throws(ControlError) -> ControlReply {
        let request = [ControlRequest(operation, arguments).frame]
        try send(request)
        let start = ContinuousClock.now
        var absentSince = monitor.peerCount == 0 ? start : nil
        var failure: HandshakeFailure?
        while !stop.isRequested {
            if let answer = try receive() { return try Self.reply(answer) }
            switch try nextEvent() {
            case .connected?:
                // What was sent before a connection broke is lost with it; what was sent before there was one is queued.
                if repeats, absentSince != start { try send(request) }
                absentSince = nil
            case .disconnected?: absentSince = .now
            case .handshakeFailed(let reason)?: failure = reason
            case nil: break
            }
            let now = ContinuousClock.now
            if let absentSince, now - absentSince >= min(timeout, Self.longestAbsence) {
                if let failure { throw .handshakeFailed(endpoint: endpoint, failure) }
                throw .noAnswer(endpoint: endpoint, waited: now - absentSince, isConnected: false)
            }
            guard now - start < timeout else {
                throw .noAnswer(endpoint: endpoint, waited: now - start, isConnected: true)
            }
            try wait()
        }
        throw .interrupted
    }

    private static func reply(_ message: ReceivedMessage) throws(ControlError) -> ControlReply {
        guard case .frames(let frames) = message else { throw .unexpected("the answer is larger than any of a daemon") }
        do throws(ControlFailure) {
            return try ControlReply(frames: frames)
        } catch {
            throw .refused(error)
        }
    }

    // MARK: The socket

    private func send(_ frames: [[UInt8]]) throws(ControlError) {
        _ = try catching { () throws(ZeroMQError) in try socket.trySend(frames) }
    }

    private func receive() throws(ControlError) -> ReceivedMessage? {
        try catching { () throws(ZeroMQError) in try socket.tryReceive() }
    }

    private func nextEvent() throws(ControlError) -> ConnectionEvent? {
        try catching { () throws(ZeroMQError) in try monitor.next() }
    }

    private func wait() throws(ControlError) {
        _ = try catching { () throws(ZeroMQError) in try poller.wait(timeout: .milliseconds(100)) }
    }

    private func catching<Value>(_ body: () throws(ZeroMQError) -> Value) throws(ControlError) -> Value {
        do throws(ZeroMQError) {
            return try body()
        } catch {
            throw .socket(error)
        }
    }
}
