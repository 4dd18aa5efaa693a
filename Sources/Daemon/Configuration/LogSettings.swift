// How much is logged, and in which form.

import Glibc
import Logging

/// What goes to standard error.
public struct LogSettings: Sendable, Equatable {
    /// How much.
    public var level = LogLevel.info
    /// In which form.
    public var format = LogFormat.auto

    /// Creates the defaults.
    public init() {}
}

/// How much is logged.
public enum LogLevel: String, Sendable, CaseIterable {
    /// Each step and each rejected message.
    case debug
    /// What goes on.
    case info
    /// What is out of the ordinary.
    case notice
    /// What may need somebody's attention.
    case warning
    /// What has failed.
    case error

    var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }
}

/// In which form events are logged.
public enum LogFormat: String, Sendable, CaseIterable {
    /// The journal's form where standard error is the journal of systemd, text elsewhere.
    case auto
    /// A line for people, with the time.
    case text
    /// sd-daemon(3)'s priority in front of each line, without the time, which the journal has.
    case journald
    /// A JSON object a line.
    case json

    /// The form to use: `auto` becomes one of the others.
    ///
    /// - Parameters:
    ///   - journalStream: `$JOURNAL_STREAM`, by systemd.exec(5) the device and inode of the journal's socket.
    ///   - descriptor: where lines are written to. The variable is inherited by processes whose output goes elsewhere.
    package func resolved(journalStream: String?, descriptor: Int32 = STDERR_FILENO) -> LogFormat {
        guard self == .auto else { return self }
        var status = stat()
        guard let journalStream, fstat(descriptor, &status) == 0 else { return .text }
        return journalStream == "\(status.st_dev):\(status.st_ino)" ? .journald : .text
    }
}
