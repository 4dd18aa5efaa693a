// What a person sees of a fetch, on standard error: a bar on a terminal, and how it ended.

import Glibc
import Remote

/// Shows how far a fetch is.
public final class FetchDisplay {
    private static let drawInterval = Duration.milliseconds(100)

    private let terminal: Terminal
    private let isInteractive: Bool
    private let bar = ProgressBar(speaksUTF8: Terminal.speaksUTF8)
    private let start = ContinuousClock.now
    private var meter = RateMeter()
    private var lastDrawn: ContinuousClock.Instant?
    private var first: Int?
    private var progress = CheckpointFetch.Progress(bytes: 0, total: 0)

    /// Creates a display; `showsBar` false leaves the bar out on a terminal too.
    public init(terminal: Terminal = .error, showsBar: Bool = true) {
        self.terminal = terminal
        isInteractive = showsBar && terminal.isInteractive
    }

    /// Shows progress.
    public func show(_ progress: CheckpointFetch.Progress) {
        if first == nil { first = progress.bytes }
        self.progress = progress
        let now = ContinuousClock.now
        guard isInteractive, lastDrawn.map({ now - $0 >= Self.drawInterval }) ?? true else { return }
        lastDrawn = now
        meter.note(progress.bytes, at: now)
        write("\r\(Self.line(progress, rate: meter.perSecond, bar: bar, width: terminal.size.columns - 1))\u{1B}[K")
    }

    /// Ends the display.
    public func end(_ fetch: CheckpointFetch) {
        if isInteractive { write("\r\u{1B}[K") }
        var line = "\(fetch.id), \(byteCount(progress.total)), in \(fetch.path), its SHA-256 is right"
        if let first, first > 0 { line += "; \(byteCount(first)) were there already" }
        write("\(printable(line)) (\(seconds(.now - start)))\n")
    }

    /// Ends the display where the fetch has failed; what is said next begins a line of its own.
    public func fail() { if isInteractive { write("\r\u{1B}[K") } }

    /// The bar's line, at most `width` columns.
    package static func line(
        _ progress: CheckpointFetch.Progress, rate: Double?, bar: ProgressBar, width: Int
    ) -> String {
        let share = progress.total > 0 ? Double(progress.bytes) / Double(progress.total) : 1
        var text = "  \(byteCount(progress.bytes)) of \(byteCount(progress.total))"
        if let rate, rate > 0 {
            text +=
                "  \(byteCount(Int(rate)))/s  ETA \(clock(.seconds(Double(progress.total - progress.bytes) / rate)))"
        }
        return bar.line(share: share, text: text, width: width)
    }

    private func write(_ text: String) { _ = OutputFile(descriptor: terminal.descriptor).write(Array(text.utf8)) }
}
