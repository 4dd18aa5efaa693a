// What a reader that asks for numbers gets: the assignments that there are, and which are gone.

import StreamProtocol

/// Assignments that follow each other without a hole.
public struct Replay: Sendable, Equatable {
    /// The epoch of the numbers.
    public var epoch: String
    /// The number that was asked for.
    public var from: UInt64
    /// The first number at hand; those from `from` to the one before it are gone for good.
    public var first: UInt64
    /// The assignments from `first` on.
    public var messages: [AssignmentMessage]
    /// The last number given in the epoch; 0 before the first.
    public var last: UInt64

    package init(epoch: String, from: UInt64, first: UInt64, messages: [AssignmentMessage], last: UInt64) {
        self.epoch = epoch
        self.from = from
        self.first = first
        self.messages = messages
        self.last = last
    }

    /// The number to ask for next.
    public var next: UInt64 { first + UInt64(messages.count) }

    /// The numbers asked for that are gone for good: expired, or never journaled.
    public var gap: ClosedRange<UInt64>? { first > from ? from...first - 1 : nil }
}
