// The journal at a moment, for whoever watches over the daemon.

/// What is in the journal, and how it fares.
public struct JournalStatus: Sendable, Equatable {
    /// The epoch that numbers are given in, and the last one given.
    public var epoch: String
    /// The last number given in the epoch; 0 before the first.
    public var last: UInt64
    /// About how many assignments there are: counted when they were last trimmed.
    public var rows: Int
    /// Bytes on disk, the log among them.
    public var bytes: Int64
    /// Why it cannot be written; nil where all is well.
    public var failure: JournalError?
    /// Assignments that wait in memory because of it.
    public var waiting: Int
    /// Assignments that were published and are in no journal, since this one was opened.
    public var lost: UInt64
}
