// What a journal has to say: how it was opened, and each change of its state.

/// Something that an operator may want to know.
public enum JournalEvent: Sendable, Equatable {
    /// There was no journal before; numbering begins with 1.
    case started(epoch: String)
    /// Numbering goes on after `last`.
    case resumed(epoch: String, last: UInt64)
    /// Numbering starts again with 1, for `reason`.
    case renumbered(epoch: String, reason: String)
    /// The database is damaged, as `error` says; it has been kept under another name, and a new one begun.
    case damaged(JournalError, keptAs: String)
    /// The database cannot be written. Told once, until `recovered`.
    case failing(JournalError)
    /// The database is written again. The assignments of `lost` were published and are in no journal.
    case recovered(lost: ClosedRange<UInt64>?)
}
