// Where all loggers' events come together: repeated faults are held back here, and lines written, whole.

import Glibc
import Logging

/// The end of the log; thread-safe.
public final class LogOutput: Sendable {
    private struct State: Sendable {
        var level: Logger.Level
        /// Never `auto`.
        var form: LogFormat
        var repetition = LogRepetition()
        var isOver = false
    }

    private let state: Monitor<State>
    private let journalStream: String?
    private let write: @Sendable (String) -> Void
    private let thread: WorkerThread

    /// Creates an output.
    ///
    /// - Parameters:
    ///   - settings: how much is logged and in which form, until `apply`.
    ///   - journalStream: `$JOURNAL_STREAM`.
    ///   - write: takes a line with its newline; called from any thread.
    package init(
        _ settings: LogSettings = LogSettings(), journalStream: String?,
        write: @escaping @Sendable (String) -> Void = LogOutput.writeToStandardError
    ) {
        let state = Monitor(
            State(level: settings.level.level, form: settings.format.resolved(journalStream: journalStream)))
        self.state = state
        self.journalStream = journalStream
        self.write = write
        // Says what was held back when its time is over, though nothing else is logged then. Started when there is something.
        thread = WorkerThread(name: "log") {
            while let (summaries, form) = Self.next(state) {
                for summary in summaries { write(Self.line(summary, form)) }
            }
        }
    }

    /// Goes by other settings from now on.
    package func apply(_ settings: LogSettings) {
        let form = settings.format.resolved(journalStream: journalStream)
        state.withLock { state in
            state.level = settings.level.level
            state.form = form
        }
    }

    /// Events below this are left out.
    package var level: Logger.Level { state.read(\.level) }

    /// The form of lines, never `auto`.
    var form: LogFormat { state.read(\.form) }

    /// A logger whose events come here.
    package var logger: Logger { Logger(label: "clusterd") { _ in StandardErrorLog(output: self) } }

    /// Writes a line, unless it is one of a fault that has been told often enough of late.
    func log(_ line: @autoclosure () -> String, level: Logger.Level, message: String) {
        guard level >= .warning else { return write(line()) }
        let key = LogRepetition.Key(level: level, message: message)
        let (isAdmitted, hasLeftOut) = state.withLock { state -> (Bool, Bool) in
            guard !state.isOver else { return (true, false) }
            return (state.repetition.admits(key, at: .now), state.repetition.nextSummary != nil)
        }
        if isAdmitted { write(line()) }
        if hasLeftOut { thread.start() }
    }

    /// Says what has been held back so far, and holds nothing back from now on. Harmless at any time.
    package func finish() {
        let (summaries, form) = state.withLock { state in
            state.isOver = true
            return (state.repetition.takeSummaries(at: nil), state.form)
        }
        for summary in summaries { write(Self.line(summary, form)) }
        thread.join()
    }

    private static func next(_ state: Monitor<State>) -> (summaries: [LogRepetition.Summary], form: LogFormat)? {
        state.wait { state in
            if state.isOver { return .done(nil) }
            let summaries = state.repetition.takeSummaries(at: .now)
            return summaries.isEmpty
                ? .wait(until: state.repetition.nextSummary) : .done((summaries, state.form))
        }
    }

    private static func line(_ summary: LogRepetition.Summary, _ form: LogFormat) -> String {
        StandardErrorLog.line(
            level: summary.key.level, message: "repeated \(summary.times) times more: \(summary.key.message)",
            fields: [], form: form)
    }

    /// Writes in one piece, so that lines of several threads do not mix.
    package static func writeToStandardError(_ line: String) {
        let bytes = Array(line.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(STDERR_FILENO, $0.baseAddress! + written, $0.count - written)
            }
            if count < 0, errno == EINTR { continue }
            // A log that cannot be written is no reason to stop.
            guard count > 0 else { return }
            written += count
        }
    }
}
