// The daemon's log: a line an event, for people, for the journal of systemd, or for programs.

import Glibc
import Logging
import StreamProtocol

/// Makes a line of each event.
public struct StandardErrorLog: LogHandler {
    /// What is logged with every event.
    public var metadata: Logger.Metadata = [:]
    private let output: LogOutput
    private var ownLevel: Logger.Level?

    /// Creates a handler.
    init(output: LogOutput) { self.output = output }

    /// Events below this are left out; unless it has been set, the output's.
    public var logLevel: Logger.Level {
        get { ownLevel ?? output.level }
        set { ownLevel = newValue }
    }

    /// Metadata of this handler.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Logs the event.
    public func log(event: LogEvent) {
        let message = "\(event.message)"
        output.log(line(event), level: event.level, message: message)
    }

    /// The line of an event, its newline included.
    package func line(_ event: LogEvent) -> String {
        let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
        return Self.line(
            level: event.level, message: "\(event.message)", fields: fields.map { ($0.key, "\($0.value)") },
            form: output.form)
    }

    static func line(
        level: Logger.Level, message: String, fields: [(key: String, value: String)], form: LogFormat
    ) -> String {
        if form == .json { return json(level: level, message: message, fields: fields) }
        let text = fields.reduce(into: message) { $0 += " \($1.key)=\(quoted($1.value))" }
        // A sender's text must not pass for a line of its own.
        let oneLine = String(text.map { $0.isNewline ? " " : $0 })
        let word = level.rawValue
        return form == .journald
            ? "<\(priority(level))>\(oneLine)\n"
            : "\(timestamp()) \(word)\(String(repeating: " ", count: max(0, 7 - word.count))) \(oneLine)\n"
    }

    private static func json(level: Logger.Level, message: String, fields: [(key: String, value: String)]) -> String {
        let own = ["time", "level", "message"]
        let bytes = JSONWriter.object { object in
            object.member("time", timestamp())
            object.member("level", level.rawValue)
            object.member("message", message)
            for (key, value) in fields { object.member(own.contains(key) ? key + "_" : key, value) }
        }
        return String(decoding: bytes, as: UTF8.self) + "\n"
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
