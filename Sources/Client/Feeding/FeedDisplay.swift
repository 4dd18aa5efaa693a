// What a person sees of a feed, on standard error: a bar on a terminal, and in any case what goes wrong and how it ended.

import Datasets
import Glibc
import Remote

/// Shows a feed's events.
public final class FeedDisplay {
    /// How many images that came to nothing are named one by one.
    private static let mostNamed = 20
    private static let drawInterval = Duration.milliseconds(100)

    private let settings: FeedSettings
    private let terminal: Terminal
    private let isInteractive: Bool
    private let bar = ProgressBar(speaksUTF8: Terminal.speaksUTF8)
    private var meter = RateMeter()
    private var lastDrawn: ContinuousClock.Instant?
    private var progress = FeedProgress()
    private var isLineOpen = false
    private var named = 0
    private var hasToldWait = false

    /// Creates a display; `showsBar` false leaves the bar out on a terminal too.
    public init(settings: FeedSettings, terminal: Terminal = .error, showsBar: Bool = true) {
        self.settings = settings
        self.terminal = terminal
        isInteractive = showsBar && terminal.isInteractive
    }

    /// Shows an event.
    public func show(_ event: FeedEvent) {
        switch event {
        case .progress(let progress):
            self.progress = progress
            if isInteractive { drawIfDue() } else { tellWaitOnce() }
        case .unreadable(let error) where error.isOfVideo: say(printable(error.description))
        case .unreadable(let error): name("skipped: \(printable(error.description))")
        case .refused(let id, let reason): name("refused: \(printable(id)): \(printable(reason))")
        case .connectionLost:
            say(
                "\(settings.endpoint) has closed the connection after \(counted(progress.sent, "image")); waiting for it"
            )
        case .connectionRestored: say("\(settings.endpoint) is back; images of the moment it left may be lost")
        case .handshakeFailed(let failure):
            say("something answers at \(settings.endpoint), but \(failure.explanation)")
        case .resending(let id): say("no reply to \(printable(id)); sending it again")
        }
    }

    /// Ends the display with a line that sums up.
    public func end(_ progress: FeedProgress, interrupted: Bool) {
        clearLine()
        say(Self.summary(progress, interrupted: interrupted))
    }

    /// Says a line of its own, above the bar.
    public func say(_ line: String) {
        clearLine()
        write(line + "\n")
    }

    /// What a feed came to, in a line.
    package static func summary(_ progress: FeedProgress, interrupted: Bool) -> String {
        var line =
            "\(counted(progress.sent, "image")) (\(byteCount(progress.bytes))) sent in \(seconds(progress.elapsed))"
        if progress.sent > 1, progress.elapsed > .milliseconds(1) { line += ", \(quantity(progress.rate)) a second" }
        if progress.refused > 0 { line += "; \(grouped(progress.refused)) of them refused" }
        if progress.unreadable > 0 { line += "; \(grouped(progress.unreadable)) could not be read" }
        if progress.missed > 0 { line += "; \(grouped(progress.missed)) left out, since the receiver was slower" }
        if interrupted {
            line += "; interrupted" + (progress.total.map { ", \(grouped($0)) were to be sent" } ?? "")
        }
        return line
    }

    private func name(_ line: String) {
        named += 1
        if named <= Self.mostNamed { say(line) }
        if named == Self.mostNamed { say("further ones are only counted") }
    }

    private func drawIfDue() {
        let now = ContinuousClock.now
        if let lastDrawn, now - lastDrawn < Self.drawInterval { return }
        lastDrawn = now
        meter.note(progress.sent + progress.unreadable, at: now)
        let line = bar.line(
            progress, rate: progress.sent > 0 ? meter.perSecond : nil, endpoint: settings.endpoint,
            width: terminal.size.columns - 1)
        // Carriage return, the line, and what was longer before erased (ECMA-48, EL).
        write("\r\(line)\u{1B}[K")
        isLineOpen = true
    }

    private func tellWaitOnce() {
        guard !hasToldWait, progress.sent == 0, let obstacle = progress.obstacle else { return }
        hasToldWait = true
        let whom = obstacle == .noSubscriber ? "a subscriber" : "a receiver"
        say("waiting for \(whom) at \(settings.endpoint) for up to \(seconds(settings.timeout))")
    }

    private func clearLine() {
        if isLineOpen { write("\r\u{1B}[K") }
        isLineOpen = false
    }

    private func write(_ text: String) {
        // Nobody can be told that standard error is closed.
        _ = OutputFile(descriptor: terminal.descriptor).write(Array(text.utf8))
    }
}
