// Asks for what is missing until it has come, is known to be gone, or has been waited for long enough.

import StreamProtocol
import ZeroMQ

/// Fills the holes of an `AssignmentSequence`.
final class GapFiller {
    private static let pause = Duration.milliseconds(200)
    /// After what time without an answer it is asked again: the way to the control endpoint may have been cut.
    private static let overdue = Duration.seconds(2)

    private let link: ReplayLink?
    private let patience: Duration
    /// The number that everything waits for, and since when.
    private var obstacle: (epoch: String, from: UInt64, since: ContinuousClock.Instant)?
    private var nextAttempt = ContinuousClock.now

    /// Creates a filler.
    ///
    /// - Parameters:
    ///   - link: who is asked; nil, and nothing can be had.
    ///   - patience: how long a number is waited for while the daemon is there.
    init(link: ReplayLink?, patience: Duration) {
        self.link = link
        self.patience = patience
    }

    /// The daemon has gone: it is not asked and not blamed until it is back.
    func connectionLost() {
        link?.forget()
        obstacle = nil
    }

    /// Takes answers and asks for what is missing.
    ///
    /// - Parameter isConnected: whether the daemon is there.
    /// - Returns: what has come out of the sequence.
    func fill(
        _ sequence: inout AssignmentSequence, isConnected: Bool
    ) throws(ZeroMQError) -> (outputs: [AssignmentSequence.Output], replayed: Int, malformed: [MalformedMessage]) {
        var result: (outputs: [AssignmentSequence.Output], replayed: Int, malformed: [MalformedMessage]) = ([], 0, [])
        while let answer = try link?.answer() {
            switch answer {
            case .replay(let reply):
                var deliveries: [AssignmentSequence.Delivery] = []
                for json in reply.assignments {
                    do throws(MalformedMessage) {
                        deliveries.append(.init(message: try AssignmentMessage(body: json), json: json))
                    } catch {
                        result.malformed.append(error)
                    }
                }
                result.replayed += deliveries.count
                result.outputs += sequence.replayed(
                    epoch: reply.epoch, gap: reply.gap, last: reply.last, deliveries)
                // Nothing yet: it is not asked again at once.
                if deliveries.isEmpty, reply.gap == nil { nextAttempt = .now + Self.pause }
            case .failure(let failure):
                switch failure.code {
                case ControlFailure.Code.unavailable.rawValue, ControlFailure.Code.failed.rawValue:
                    nextAttempt = .now + Self.pause
                default: result.outputs += sequence.giveUp()
                }
            }
        }
        while link == nil, sequence.missing != nil { result.outputs += sequence.giveUp() }
        guard let link, let missing = sequence.missing else {
            obstacle = nil
            return result
        }
        guard isConnected else {
            obstacle = nil
            return result
        }
        if obstacle.map({ ($0.epoch, $0.from) != missing }) ?? true { obstacle = (missing.epoch, missing.from, .now) }
        if let obstacle, .now - obstacle.since > patience {
            link.forget()
            self.obstacle = nil
            result.outputs += sequence.giveUp()
        } else if link.asked.map({ .now - $0 > Self.overdue }) ?? true, .now >= nextAttempt {
            link.forget()
            try link.ask(epoch: missing.epoch, from: missing.from)
            if link.asked == nil { nextAttempt = .now + Self.pause }
        }
        return result
    }
}
