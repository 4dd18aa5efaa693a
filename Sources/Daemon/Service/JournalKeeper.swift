// The journal's own thread: what is to be done about once a second and nobody should wait for.

import Journal
import Logging

/// Maintains the journal for as long as the service runs.
final class JournalKeeper: Sendable {
    private let isStopping: Monitor<Bool>
    private let thread: WorkerThread

    private static let interval = 1.0

    /// Creates a keeper that is not running yet.
    init(_ journal: Journal) {
        let isStopping = Monitor(false)
        self.isStopping = isStopping
        thread = WorkerThread(name: "journal") {
            var next = MonotonicTime.now
            while !isStopping.wait({ $0 || MonotonicTime.now >= next ? .done($0) : .wait(until: next) }) {
                journal.maintain(now: wallClockNanoseconds(), isStopping: { isStopping.read { $0 } })
                next = MonotonicTime.now.advanced(bySeconds: Self.interval)
            }
        }
    }

    /// Starts the thread; a second call does nothing.
    func start() { thread.start() }

    /// Ends the thread and waits for it. Harmless at any time.
    func stop() {
        isStopping.withLock { $0 = true }
        thread.join()
    }
}

extension Logger {
    /// Says what has become of the journal.
    func journal(_ event: JournalEvent) {
        switch event {
        case .started(let epoch): info("a new journal begins", metadata: ["epoch": "\(epoch)"])
        case .resumed(let epoch, let last):
            info("numbering goes on", metadata: ["epoch": "\(epoch)", "seq": "\(last)"])
        case .renumbered(let epoch, let reason):
            warning("numbering starts again: \(reason)", metadata: ["epoch": "\(epoch)"])
        case .damaged(let error, let kept):
            warning("a damaged journal is kept and a new one begun: \(error)", metadata: ["kept": "\(kept)"])
        case .failing(let error):
            self.error("assignments are published and wait in memory to be journaled: \(error)")
        case .recovered(nil): notice("the journal is written again, nothing is missing from it")
        case .recovered(let lost?):
            warning(
                "the journal is written again; assignments that were published are missing from it",
                metadata: ["from": "\(lost.lowerBound)", "to": "\(lost.upperBound)"])
        }
    }
}
