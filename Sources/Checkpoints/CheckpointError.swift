// What can go wrong with checkpoints, in words that an operator can act on, and the one place that looks at errno.

import Glibc
import Safetensors

/// A failed operation on a checkpoint: what was tried, on what, why it failed, and what may help.
public struct CheckpointError: Error, Equatable, CustomStringConvertible {
    /// The sort of fault.
    public enum Kind: Sendable, Equatable {
        /// A system call failed with this error number.
        case system(Int32)
        /// Another process, or another store of this one, holds the folder.
        case inUse
        /// The file is cut off, has changed since it was written, or was never a checkpoint.
        case damaged
        /// The checkpoint is whole, but of another model or another version of the format.
        case otherModel
        /// A state that is not worth keeping: a number in it is not finite.
        case notFinite
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

    /// Whether there is no such file.
    public var isMissingFile: Bool { kind == .system(ENOENT) }

    init(_ kind: Kind, operation: String, path: String, reason: String, hint: String? = nil) {
        self.kind = kind
        self.operation = operation
        self.path = path
        self.reason = reason
        self.hint = hint
    }

    /// A file that cannot be used for `reason`.
    static func damaged(_ path: String, _ reason: String, hint: String? = nil) -> Self {
        Self(.damaged, operation: "load", path: path, reason: reason, hint: hint)
    }

    /// The error of a system call that failed with `code`.
    static func system(_ operation: String, _ path: String, code: Int32) -> Self {
        let hint: String? =
            switch code {
            case ENOSPC, EDQUOT: "free some space, keep fewer checkpoints or keep them in another folder"
            case EFBIG: "the file system or ulimit -f allows no file of that size"
            case EACCES, EPERM: "the user that the program runs as needs permission"
            case EROFS: "the file system is mounted read-only"
            case ENOTDIR: "a part of the path is a file"
            case ENOENT: "the path is taken from the folder that the program runs in"
            default: nil
            }
        return Self(
            .system(code), operation: operation, path: path, reason: String(cString: strerror(code)), hint: hint)
    }

    /// What a fault of the file format means for the checkpoint at `path`.
    init(_ error: SafetensorsError, path: String) {
        switch error.kind {
        case .system(let code): self = .system(error.operation, path, code: code)
        case .malformed, .unsupported: self = .damaged(path, error.reason, hint: error.hint)
        }
    }

    /// One line: operation, path, reason and hint.
    public var description: String {
        let advice = hint.map { " (\($0))" } ?? ""
        return "cannot \(operation) \(path): \(reason)\(advice)"
    }
}

/// Calls `body`, a system call that returns −1 and sets errno on failure, again for as long as signals interrupt it.
///
/// - Returns: what `body` returned.
/// - Throws: `CheckpointError` of the kind `system`.
@discardableResult
func call<Result: BinaryInteger>(
    _ operation: String, _ path: String, _ body: () -> Result
) throws(CheckpointError) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        let code = errno
        if code == EINTR { continue }
        throw .system(operation, path, code: code)
    }
}
