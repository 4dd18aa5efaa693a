// The routing table of the control endpoint: from a message to the operation that answers it.
//
// It knows no socket. The Gateway's thread brings messages and is never kept: what cannot be done is answered at once,
// everything else on the threads of its lanes.

import StreamProtocol
import ZeroMQ

/// Takes requests and gives answers; thread-safe.
package final class ControlDesk: Sendable {
    /// The size of a request with its envelope.
    static let limits = ReceiveLimits(maxFrames: 8, maxBytes: ControlRequest.maximumBytes + 2048)

    private let operations: [String: ControlOperation]
    private let lanes: [ControlOperation.Lane: ControlLane]
    private let reply: @Sendable ([[UInt8]]) -> Void

    /// Creates a desk that does not answer yet.
    ///
    /// - Parameters:
    ///   - operations: what can be asked, each name once.
    ///   - reply: takes an answer with the envelope of its request in front; called on any thread, it must not wait.
    package init(operations: [ControlOperation], reply: @escaping @Sendable ([[UInt8]]) -> Void) {
        self.operations = Dictionary(uniqueKeysWithValues: operations.map { ($0.name, $0) })
        self.reply = reply
        lanes = Dictionary(uniqueKeysWithValues: ControlOperation.Lane.allCases.map { ($0, ControlLane($0)) })
    }

    /// Starts the threads; a second call does nothing.
    package func start() { lanes.values.forEach { $0.start() } }

    /// Answers what is waiting, and every later request with the code `unavailable`. Harmless at any time.
    package func stop() { lanes.values.forEach { $0.stop() } }

    /// Takes a message as a ROUTER socket received it: who sent it, an envelope, and the request.
    package func take(_ message: ReceivedMessage) {
        let frames: [[UInt8]]
        let excess: ControlFailure?
        switch message {
        case .frames(let whole): (frames, excess) = (whole, nil)
        case .tooLarge(_, let bytes, let kept): (frames, excess) = (kept, .tooLarge(bytes: bytes))
        }
        guard !frames.isEmpty else { return }
        var body = frames
        let envelope = RequestEnvelope(takenOff: &body).frames
        do throws(ControlFailure) {
            if let excess { throw excess }
            try submit(frames: body, envelope: envelope)
        } catch {
            reply(envelope + error.frames)
        }
    }

    /// Does a request that came another way than by a socket.
    ///
    /// - Parameter answer: takes the answer's frames, on any thread; it must not wait.
    package func perform(_ request: ControlRequest, answer: @escaping @Sendable ([[UInt8]]) -> Void) {
        do throws(ControlFailure) {
            try submit(request, answer: answer)
        } catch {
            answer(error.frames)
        }
    }

    private func submit(frames: [[UInt8]], envelope: [[UInt8]]) throws(ControlFailure) {
        guard frames.count == 1 else {
            throw ControlFailure(.malformed, "the request has \(frames.count) frames, it should have one")
        }
        try submit(try ControlRequest(parsing: frames[0])) { [reply] answer in reply(envelope + answer) }
    }

    private func submit(
        _ request: ControlRequest, answer: @escaping @Sendable ([[UInt8]]) -> Void
    ) throws(ControlFailure) {
        guard let operation = operations[request.operation], let lane = lanes[operation.lane] else {
            let suggestion = nearestName(to: request.operation, in: operations.keys.sorted())
            throw ControlFailure(
                .unknownOperation,
                "there is no operation \(request.operation.prefix(40).debugDescription)"
                    + (suggestion.map { "; did you mean \($0)?" }
                        ?? ", there are \(operations.keys.sorted().joined(separator: ", "))"))
        }
        try lane.submit(.init(request: request, operation: operation, answer: answer))
    }
}
