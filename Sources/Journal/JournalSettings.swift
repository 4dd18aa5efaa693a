// All that a journal is told at its creation.

/// Where a journal is, how much it keeps, and how certain it is of its disk.
public struct JournalSettings: Sendable, Equatable {
    /// When a transaction is on disk, and not only with the system.
    public enum Synchronous: String, Sendable, CaseIterable {
        /// Now and then. A killed process loses nothing; after a loss of power the newest rows may be missing, and
        /// numbering starts again in a new epoch. SQLite's `synchronous = NORMAL` with WAL.
        case normal
        /// Before it is published: SQLite's `synchronous = FULL`. Costs an `fsync` a batch.
        case full
    }

    /// The folder.
    public var directory: String
    /// How many assignments stay; nil is all.
    public var keepRows: Int?
    /// For how many seconds an assignment stays; nil is for ever.
    public var keepSeconds: Int64?
    /// When a transaction is on disk.
    public var synchronous: Synchronous
    /// How many bytes of assignments wait in memory while the journal cannot be written; beyond, the oldest are given up.
    public var backlogBytes = 64 << 20

    /// Creates settings.
    public init(
        directory: String, keepRows: Int? = nil, keepSeconds: Int64? = nil, synchronous: Synchronous = .normal
    ) {
        self.directory = directory
        self.keepRows = keepRows
        self.keepSeconds = keepSeconds
        self.synchronous = synchronous
    }

    /// The database of a journal in `directory`.
    static func database(in directory: String) -> String { directory + "/journal.sqlite" }
}
