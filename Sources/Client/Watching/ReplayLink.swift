// Asks a daemon's control endpoint for assignments, one request at a time, without waiting for the answer.
//
// A request carries a number in its envelope, which the answer brings back (zguide, chapter 3). An answer that is late brings
// assignments all the same; a late refusal is of no interest.

import StreamProtocol
import ZeroMQ

/// A connection to the control operation `replay`.
final class ReplayLink {
    /// What has come of a request.
    enum Answer {
        /// Assignments, or that they are gone.
        case replay(ReplayReply)
        /// Why there are none.
        case failure(ControlFailure)
    }

    /// Since when an answer is waited for; nil where none is.
    private(set) var asked: ContinuousClock.Instant?

    private static let limits = ReceiveLimits(maxFrames: ReplayRequest.maximumLimit + 8, maxBytes: 256 << 20)

    private var socket: Socket
    private var number: UInt64 = 0

    /// Connects to the endpoint, now or as soon as somebody listens there.
    ///
    /// - Parameter curve: the keys; nil is without encryption.
    /// - Throws: `ZeroMQError` where the endpoint is malformed.
    init(endpoint: String, curve: CurveClient?, context: ZeroMQContext) throws(ZeroMQError) {
        socket = try context.socket(.dealer)
        // A request that cannot be sent now is made anew later.
        try socket.set(.immediate, true)
        try socket.set(.sendHighWaterMark, 4)
        if let curve { try socket.useCurve(curve) }
        try socket.connect(endpoint)
    }

    /// Lets `poller` wait for answers.
    func add(to poller: inout Poller) { _ = poller.add(socket, for: .readable) }

    /// Asks, unless nobody is there to be asked.
    func ask(epoch: String, from: UInt64) throws(ZeroMQError) {
        number += 1
        let request = ReplayRequest(epoch: epoch, from: from).request.frame
        if try socket.trySend([envelope, [], request]) { asked = .now }
    }

    /// Waits for no answer any more.
    func forget() { asked = nil }

    /// The answer, if it is there.
    func answer() throws(ZeroMQError) -> Answer? {
        while let message = try socket.tryReceive(limits: Self.limits) {
            guard case .frames(let frames) = message, frames.count > 2, frames[1].isEmpty else { continue }
            let isAwaited = asked != nil && frames[0] == envelope
            if isAwaited { asked = nil }
            do throws(ControlFailure) {
                return .replay(try ReplayReply(try ControlReply(frames: Array(frames.dropFirst(2)))))
            } catch {
                if isAwaited { return .failure(error) }
            }
        }
        return nil
    }

    private var envelope: [UInt8] { Array("\(number)".utf8) }
}
