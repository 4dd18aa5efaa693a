// The daemon's log: one readable line an event on standard error, or what the journal of systemd reads as one.

import Glibc
import Logging

/// Writes a line an event to standard error.
public struct StandardErrorLog: LogHandler {
    /// What is logged with every event.
    public var metadata: Logger.Metadata = [:]
    /// Events below this are left out.
    public var logLevel: Logger.Level
    private let forJournal: Bool

    /// Creates a handler; `forJournal` puts sd-daemon(3)'s priority in front of a line in the place of the time.
    package init(level: Logger.Level, forJournal: Bool) {
        logLevel = level
        self.forJournal = forJournal
    }

    /// A logger to standard error, in the journal's form where systemd.exec(5)'s `$JOURNAL_STREAM` is set and standard
    /// error is no terminal.
    public static func logger(level: LogLevel) -> Logger {
        let forJournal = getenv("JOURNAL_STREAM") != nil && isatty(STDERR_FILENO) == 0
        return Logger(label: "clusterd") { _ in Self(level: level.level, forJournal: forJournal) }
    }

    /// Metadata of this handler.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes the event in one piece, so that lines of several threads do not mix.
    public func log(event: LogEvent) {
        let bytes = Array(line(event).utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress! + written, $0.count - written) }
            if count < 0, errno == EINTR { continue }
            // A log that cannot be written is no reason to stop.
            guard count > 0 else { return }
            written += count
        }
    }

    /// The line of an event, its newline included.
    package func line(_ event: LogEvent) -> String {
        let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
        let text = fields.reduce(into: "\(event.message)") { $0 += " \($1.key)=\(Self.quoted("\($1.value)"))" }
        // A sender's text must not pass for a line of its own.
        let oneLine = String(text.map { $0.isNewline ? " " : $0 })
        let level = event.level.rawValue
        return forJournal
            ? "<\(Self.priority(event.level))>\(oneLine)\n"
            : "\(Self.timestamp()) \(level)\(String(repeating: " ", count: max(0, 7 - level.count))) \(oneLine)\n"
    }

    private static func quoted(_ value: String) -> String {
        value.isEmpty || value.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" })
            ? "\"" + value.replacing("\"", with: "\\\"") + "\"" : value
    }

    /// syslog(3)'s levels.
    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .critical: 2
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .info: 6
        case .debug, .trace: 7
        }
    }

    /// RFC 3339 in UTC, with milliseconds.
    private static func timestamp() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        func digits(_ number: some BinaryInteger, _ count: Int) -> String {
            let text = "\(number)"
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let date = "\(digits(parts.tm_year + 1900, 4))-\(digits(parts.tm_mon + 1, 2))-\(digits(parts.tm_mday, 2))"
        let time = "\(digits(parts.tm_hour, 2)):\(digits(parts.tm_min, 2)):\(digits(parts.tm_sec, 2))"
        return "\(date)T\(time).\(digits(now.tv_nsec / 1_000_000, 3))Z"
    }
}

/// How much is logged, as a flag names it.
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
