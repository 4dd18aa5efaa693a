// What a person sees of a run: results on standard output, progress and warnings on standard error.
//
// On a terminal the progress is one line that is written again and again; elsewhere a line now and then.

import Checkpoints
import Foundation
import Glibc
import Synchronization

/// Writes what happens in a run.
package final class RunConsole {
    private let epochs: Int
    private let isTerminal = RunConsole.isTerminal
    private var shownAt: ContinuousClock.Instant?
    private var unreadable = 0

    private static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Unreadable images that are named; the rest are only counted.
    private static let namedImages = 20

    /// Creates a console for a run of `epochs` epochs.
    package init(epochs: Int) { self.epochs = epochs }

    /// Writes a line of the result.
    package func say(_ line: String) {
        clear()
        Self.write(line + "\n", to: .standardOutput)
    }

    /// Writes a line that is no part of the result.
    package static func warn(_ line: String) {
        write("\(isTerminal ? clearLine : "")warning: \(line)\n", to: .standardError)
    }

    /// Tells of an image that is left out.
    package func leftOut(_ failure: ImageBatches.Failure) {
        unreadable += 1
        if unreadable <= Self.namedImages { Self.warn("left out: \(failure)") }
        if unreadable == Self.namedImages { Self.warn("further images that are left out are not named") }
    }

    /// Tells what happened in a run.
    package func show(_ event: OfflineTraining.Event) {
        switch event {
        case .skipped(let error): Self.warn("\(error); the checkpoint before it is taken")
        case .resumed(let record): say("going on from \(record.path), step \(record.step)")
        case .step(let progress):
            showProgress(every: isTerminal ? 0.1 : 60) { RunDisplay.stepLine(progress, epochs: epochs, width: $0) }
        case .epoch(let progress, let report): say(RunDisplay.epochLine(progress, epochs: epochs, report))
        case .evaluating(let done, let total): showShare(done, of: total, doing: "evaluating")
        case .checkpoint(let record): if isTerminal { say("checkpoint \(record.path)") }
        case .unreadable(let failure): leftOut(failure)
        case .brokenStep(let step): Self.warn("the losses of step \(step) are not finite; nothing is learnt from it")
        }
    }

    /// Shows how far something has come.
    package func showShare(_ done: Int, of total: Int, doing: String) {
        showProgress(every: isTerminal ? 0.1 : 60) { width in
            let share = Double(done) / Double(max(1, total))
            return String("\(doing) \(RunDisplay.bar(share, width: 20)) \(done)/\(total)".prefix(max(0, width - 1)))
        }
    }

    /// Takes the progress line away.
    package func clear() {
        if isTerminal { Self.write(Self.clearLine, to: .standardError) }
    }

    private func showProgress(every seconds: Double, _ line: (_ width: Int) -> String) {
        let now = ContinuousClock.now
        // The first line comes when there was time to see nothing.
        let since = shownAt ?? now
        if shownAt == nil { shownAt = now }
        guard (now - since) / .seconds(1) >= seconds else { return }
        shownAt = now
        if isTerminal {
            Self.write(Self.clearLine + line(terminalWidth), to: .standardError)
        } else {
            Self.write(line(200) + "\n", to: .standardError)
        }
    }

    private var terminalWidth: Int {
        // ioctl_tty(2)
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    private static let clearLine = "\r\u{1B}[K"

    private static func write(_ text: String, to handle: FileHandle) {
        // A reader that has gone away is no reason to end a run.
        try? handle.write(contentsOf: Data(text.utf8))
    }
}

/// Asked for by a signal's thread, looked at between two steps.
package final class StopRequest: Sendable {
    private let requested = Atomic(false)

    /// Creates a request that nobody has made.
    package init() {}

    /// Asks for the end.
    package func request() { requested.store(true, ordering: .relaxed) }

    /// Whether the end has been asked for.
    package var isRequested: Bool { requested.load(ordering: .relaxed) }
}
