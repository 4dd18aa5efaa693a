// How far the numbers of assignments have come.

/// The numbering of assignments and the last number given in it.
public struct AssignmentNumbering: Sendable, Equatable {
    /// Identifies the numbering: a UUID.
    public var epoch: String
    /// The last number given; 0 before the first.
    public var last: UInt64

    /// Creates the state of a numbering.
    public init(epoch: String, last: UInt64) {
        self.epoch = epoch
        self.last = last
    }
}
