// A question to a journal.

/// Which assignments are wanted; what is nil does not matter.
public struct JournalQuery: Sendable, Equatable {
    /// The source.
    public var source: String?
    /// The cluster.
    public var cluster: Int?
    /// The sender's own name for the image.
    public var id: String?
    /// Published at this time or later, nanoseconds since 1970.
    public var since: Int64?
    /// Published before this time.
    public var until: Int64?
    /// Only so many, the newest of them.
    public var newest: Int?

    /// Creates a question for everything.
    public init() {}
}
