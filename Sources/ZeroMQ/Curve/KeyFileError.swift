// Why a key file, or a folder of them, cannot be used or written.

import Glibc

/// A key file that is of no use.
public struct KeyFileError: Error, Equatable, CustomStringConvertible {
    /// What was tried, such as `read`.
    public let operation: String
    /// The file or folder.
    public let path: String
    /// Why it failed.
    public let reason: String
    /// What helps, where anything is known to.
    public let hint: String?

    /// Creates an error.
    init(_ operation: String, _ path: String, _ reason: String, hint: String? = nil) {
        self.operation = operation
        self.path = path
        self.reason = reason
        self.hint = hint
    }

    /// Creates an error with the system's reason.
    init(_ operation: String, _ path: String, errno number: Int32) {
        self.init(operation, path, String(cString: strerror(number)))
    }

    /// One line: operation, path, reason and hint.
    public var description: String {
        "cannot \(operation) \(path): \(reason)" + (hint.map { " (\($0))" } ?? "")
    }
}
