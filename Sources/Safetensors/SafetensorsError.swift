// What can be wrong with a safetensors file, in words that name the file and the place in it.

import Glibc

/// A file that cannot be read: what was tried, on what, why it failed, and what may help.
public struct SafetensorsError: Error, Equatable, CustomStringConvertible {
    /// The sort of fault.
    public enum Kind: Sendable, Equatable {
        /// A system call failed with this error number.
        case system(Int32)
        /// The bytes are not a whole safetensors file.
        case malformed
        /// The file is whole, but holds a data type that is not read here.
        case unsupported
    }

    /// The sort of fault.
    public let kind: Kind
    /// What was tried, such as `open`.
    public let operation: String
    /// The file, where the bytes come from one.
    public let path: String?
    /// Why it failed.
    public let reason: String
    /// What may help, where anything is known to.
    public let hint: String?

    init(_ kind: Kind, operation: String = "read", path: String? = nil, reason: String, hint: String? = nil) {
        self.kind = kind
        self.operation = operation
        self.path = path
        self.reason = reason
        self.hint = hint
    }

    /// The error of a system call that has just failed.
    static func system(_ operation: String, path: String?) -> Self {
        let code = errno
        let hint: String? =
            switch code {
            case ENOENT: "the path is taken from the folder that the program runs in"
            case EACCES: "the user that the program runs as needs permission to read it"
            default: nil
            }
        return Self(
            .system(code), operation: operation, path: path, reason: String(cString: strerror(code)), hint: hint)
    }

    static func malformed(_ reason: String, path: String? = nil, hint: String? = nil) -> Self {
        Self(.malformed, path: path, reason: reason, hint: hint)
    }

    /// The same error, said of the file at `path`.
    func at(path: String?) -> Self {
        Self(kind, operation: operation, path: path ?? self.path, reason: reason, hint: hint)
    }

    /// One line: operation, file, reason and hint.
    public var description: String {
        let subject = path.map { " \($0)" } ?? " safetensors"
        let advice = hint.map { " (\($0))" } ?? ""
        return "cannot \(operation)\(subject): \(reason)\(advice)"
    }
}
