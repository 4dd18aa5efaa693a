// What comes over sockets to those that read a daemon's results: published messages, answers, and their order.

import Client
import StreamProtocol

extension FuzzTarget {
    private static let tokens = [
        "assignment/", "rejected/", "heartbeat", "checkpoint", "relabeling", #"{"v":1,"#, #""epoch":"e""#, #""seq":"#,
        #""map":["#, #""labels":["#, #""probabilities":["#, #""confidence":null"#, #""ok":true"#, #""ok":false"#,
        #""gap":[1,18446744073709551615]"#, #""first":"#, #""next":"#, #""last":"#, "\u{1E}", "\n", "null",
        "18446744073709551615", "18446744073709551614", #""error":{"code":"x","message":"y"}"#,
    ]

    /// A message of the publisher: what is read and written reads the same again.
    static func published(share: Double) -> FuzzTarget {
        FuzzTarget("published", share: share, tokens: tokens) { input in
            do {
                guard let (kind, written) = rewritten(try PublishedMessage(frames: frames(of: input))) else {
                    return "other"
                }
                let again = rewritten(try PublishedMessage(frames: written))?.frames
                try require(again == written, "a \(kind) that is written in two ways: \(written)")
                return "\(kind) \(written.count)"
            } catch let error as MalformedMessage {
                try require(!error.reason.isEmpty, "no reason")
                return word(error.reason)
            }
        }
    }

    private static func rewritten(_ message: PublishedMessage) -> (kind: String, frames: [[UInt8]])? {
        switch message {
        case .assignment(let message): ("assignment", message.frames)
        case .rejected(let message): ("rejection", message.frames)
        case .heartbeat(let message): ("heartbeat", message.frames)
        case .checkpoint(let message): ("checkpoint", message.frames)
        case .relabeling(let message): ("relabeling", message.frames)
        case .other: nil
        }
    }

    /// An answer of the control endpoint, or of a source.
    static func replies(share: Double) -> FuzzTarget {
        FuzzTarget("replies", share: share, tokens: tokens) { input in
            let frames = frames(of: input)
            let admission = Reply(frame: frames[0])
            try require(Reply(frame: admission.frame(in: .clusterd, port: "")) == admission, "\(admission)")
            do {
                let reply = try ReplayReply(try ControlReply(frames: frames))
                try require(try ReplayReply(reply.reply) == reply, "\(reply) is read in two ways")
                return "replay \(reply.gap != nil) \(min(reply.assignments.count, 3))"
            } catch let failure as ControlFailure {
                return word(failure.message)
            }
        }
    }

    /// What a consumer receives in whatever order, a line of it a step: its first letter says what it is.
    static func sequence(share: Double) -> FuzzTarget {
        FuzzTarget("sequence", share: share, tokens: tokens + ["P", "H", "R", "G", "S", "S18446744073709551615"]) {
            input in
            var sequence = AssignmentSequence(), order = Order()
            for step in frames(of: input) {
                let rest = Array(step.dropFirst())
                switch step.first {
                case UInt8(ascii: "S"):
                    let start = UInt64(String(decoding: rest, as: UTF8.self))
                    (sequence, order) = (AssignmentSequence(start: start), Order())
                case UInt8(ascii: "P"):
                    guard let message = try? AssignmentMessage(body: rest) else { continue }
                    try order.take(sequence.published(.init(message: message, json: rest)))
                case UInt8(ascii: "H"):
                    guard let message = try? HeartbeatMessage(frames: [Array(HeartbeatMessage.topic.utf8), rest])
                    else { continue }
                    try order.take(sequence.heartbeat(epoch: message.epoch, last: message.sequence))
                case UInt8(ascii: "R"):
                    let lines = rest.split(separator: UInt8(ascii: "\n")).map(Array.init)
                    guard let control = try? ControlReply(frames: lines), let reply = try? ReplayReply(control) else {
                        continue
                    }
                    let deliveries = reply.assignments.compactMap { json in
                        (try? AssignmentMessage(body: json)).map {
                            AssignmentSequence.Delivery(message: $0, json: json)
                        }
                    }
                    try order.take(
                        sequence.replayed(epoch: reply.epoch, gap: reply.gap, last: reply.last, deliveries))
                default: try order.take(sequence.giveUp())
                }
            }
            while sequence.missing != nil {
                let outputs = sequence.giveUp()
                try require(!outputs.isEmpty, "nothing comes of giving up")
                try order.take(outputs)
            }
            return "\(min(order.assignments, 4)) \(min(order.gaps, 4)) \(min(order.epochs, 3))"
        }
    }

    /// The promise to whoever consumes: each number once, without a hole that is not told.
    private struct Order {
        var assignments = 0, gaps = 0, epochs = 0
        private var next: UInt64?

        mutating func take(_ outputs: [AssignmentSequence.Output]) throws {
            for output in outputs {
                switch output {
                case .assignment(let delivery):
                    assignments += 1
                    try follow(delivery.message.sequence...delivery.message.sequence)
                case .missing(let range):
                    gaps += 1
                    try follow(range)
                case .newEpoch:
                    epochs += 1
                    next = 1
                case .unknownEnd: break
                }
            }
        }

        private mutating func follow(_ range: ClosedRange<UInt64>) throws {
            try require(next == nil || next == range.lowerBound, "\(range) where \(next ?? 0) is next")
            next = range.upperBound &+ 1
        }
    }

    /// A sentence without what it quotes.
    static func word(_ sentence: String) -> String { String(sentence.filter(\.isLetter).prefix(24)) }
}
