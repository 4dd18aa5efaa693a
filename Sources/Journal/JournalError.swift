// What can go wrong with the journal, in words that an operator can act on, and the one place that knows SQLite's codes.

import GRDB
import Glibc

/// A failed operation on the journal: what was tried, on what, why it failed, and what may help.
public struct JournalError: Error, Equatable, CustomStringConvertible {
    /// The sort of fault.
    public enum Kind: Sendable, Equatable {
        /// A system call failed with this error number.
        case system(Int32)
        /// SQLite failed with this extended result code.
        case database(Int32)
        /// Another process, or another journal of this one, has the folder.
        case inUse
        /// There is no journal.
        case missing
        /// The file is cut off, has been changed by others, or is no journal of this version.
        case damaged
        /// Numbers are asked for that belong to no numbering this journal has.
        case unknownEpoch
    }

    /// The sort of fault.
    public let kind: Kind
    /// What was tried, such as `write`.
    public let operation: String
    /// The file or folder.
    public let path: String
    /// Why it failed.
    public let reason: String
    /// What may help, where anything is known to.
    public let hint: String?

    init(_ kind: Kind, operation: String, path: String, reason: String, hint: String? = nil) {
        self.kind = kind
        self.operation = operation
        self.path = path
        self.reason = reason
        self.hint = hint
    }

    /// A database that cannot be used for `reason`.
    static func damaged(_ path: String, _ reason: String) -> Self {
        Self(.damaged, operation: "open", path: path, reason: reason)
    }

    /// The error of a system call that failed with `code`.
    static func system(_ operation: String, _ path: String, code: Int32) -> Self {
        let hint: String? =
            switch code {
            case ENOSPC, EDQUOT: fullHint
            case EACCES, EPERM: "the user that the program runs as needs permission"
            case EROFS: "the file system is mounted read-only"
            case ENOTDIR, EEXIST: "a part of the path is a file"
            default: nil
            }
        return Self(
            .system(code), operation: operation, path: path, reason: String(cString: strerror(code)), hint: hint)
    }

    private static let fullHint = "free some space, keep fewer rows or keep the journal in another folder"

    /// One line: operation, path, reason and hint.
    public var description: String {
        let advice = hint.map { " (\($0))" } ?? ""
        return "cannot \(operation) \(path): \(reason)\(advice)"
    }

    /// Calls `body`, and gives whatever it throws these words.
    static func catching<Result>(
        _ operation: String, _ path: String, _ body: () throws -> Result
    ) throws(JournalError) -> Result {
        do {
            return try body()
        } catch let error as JournalError {
            throw error
        } catch let error as DatabaseError {
            throw JournalError(error, operation: operation, path: path)
        } catch {
            throw JournalError(
                .database(ResultCode.SQLITE_ERROR.rawValue), operation: operation, path: path, reason: "\(error)")
        }
    }

    private init(_ error: DatabaseError, operation: String, path: String) {
        let (code, extended) = (error.resultCode, error.extendedResultCode)
        let text = error.message ?? code.description
        switch code {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self.init(.damaged, operation: operation, path: path, reason: text)
        case .SQLITE_FULL:
            self.init(
                .database(extended.rawValue), operation: operation, path: path, reason: "the disk is full",
                hint: Self.fullHint)
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM:
            self.init(
                .database(extended.rawValue), operation: operation, path: path, reason: text,
                hint: "the user that the program runs as needs permission for the folder and its files")
        default:
            // The extended code tells a failed fsync from a failed read: https://sqlite.org/rescode.html
            self.init(
                .database(extended.rawValue), operation: operation, path: path, reason: "\(text) (\(extended))")
        }
    }
}

/// Calls `body`, a system call that returns −1 and sets errno on failure, again for as long as signals interrupt it.
///
/// - Returns: what `body` returned.
/// - Throws: `JournalError` of the kind `system`.
@discardableResult
func call<Result: BinaryInteger>(
    _ operation: String, _ path: String, _ body: () -> Result
) throws(JournalError) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        let code = errno
        if code == EINTR { continue }
        throw .system(operation, path, code: code)
    }
}
