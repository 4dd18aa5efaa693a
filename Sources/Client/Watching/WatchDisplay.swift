// What a person or a program sees of a watch: a table on a terminal, JSON lines elsewhere. All else is said on standard
// error, so that standard output holds assignments alone.

import Glibc
import Remote
import StreamProtocol

/// Shows a watch's events.
public final class WatchDisplay {
    /// How it ended.
    public enum Ending: Sendable, Equatable {
        /// Everything could be written.
        case complete
        /// The reader of the output has gone.
        case readerGone
        /// The output could not be written, by the system's number.
        case failed(Int32)
    }

    private static let largestBuffer = 64 << 10
    private static let drawInterval = Duration.milliseconds(200)

    private let settings: WatchSettings
    private let output: OutputFile
    private let errors = OutputFile(descriptor: STDERR_FILENO)
    private let terminal: Terminal?
    private var buffer: [UInt8] = []
    private var rowsSinceHeader = Int.max
    private var lastDrawn: ContinuousClock.Instant?
    private var hasStatus = false
    private var meter = RateMeter()

    /// How the output fares.
    public private(set) var ending = Ending.complete

    /// Creates a display.
    ///
    /// - Parameter json: JSON lines on a terminal too.
    public init(settings: WatchSettings, json: Bool, output: OutputFile = .standard) {
        self.settings = settings
        self.output = output
        let terminal = Terminal(descriptor: output.descriptor)
        self.terminal = !json && terminal.isInteractive ? terminal : nil
    }

    /// Shows an event.
    ///
    /// - Returns: false where the output cannot be written any more.
    public func show(_ event: WatchEvent, _ tally: WatchTally) -> Bool {
        switch event {
        case .assignment(let assignment, let json):
            if let terminal {
                row(AssignmentTable(width: terminal.size.columns).row(assignment), terminal)
            } else {
                buffer += json + [UInt8(ascii: "\n")]
            }
        case .rejected(let rejected):
            if let terminal {
                row(AssignmentTable(width: terminal.size.columns).row(rejected, at: nanosecondsSince1970()), terminal)
            } else {
                let id = rejected.id.map { " " + printable($0) } ?? ""
                say("rejected: \(printable(rejected.source))\(id): \(printable(rejected.reason))")
            }
        case .checkpoint(let checkpoint):
            say(
                "checkpoint \(printable(checkpoint.id)), step \(grouped(checkpoint.step)), \(byteCount(Int(clamping: checkpoint.byteCount)))"
            )
        case .relabeling(let relabeling):
            say(
                "another model: \(printable(relabeling.model)), label epoch \(relabeling.labelEpoch); "
                    + Self.map(relabeling.map))
        case .missing(let range):
            let numbers = range.length == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
            say("missing: \(counted(Int(clamping: range.length), "assignment")), seq \(numbers)")
        case .unknownEnd(let epoch, let last):
            say("missing: whatever followed seq \(last) in epoch \(printable(epoch))")
        case .newEpoch(let epoch): say("numbering starts again: epoch \(printable(epoch))")
        case .malformed(let error): say(printable(error.description))
        case .waiting: say("waiting for \(settings.endpoint); is `clusterd serve` running?")
        case .handshakeFailed(let failure):
            say("something answers at \(settings.endpoint), but \(failure.explanation)")
        case .connected: break
        case .connectionLost: say("\(settings.endpoint) has closed the connection; waiting for it")
        case .idle:
            drawStatus(tally)
            flush()
        }
        if buffer.count > Self.largestBuffer { flush() }
        return ending == .complete
    }

    /// Ends the display with what was heard.
    public func end(_ tally: WatchTally) {
        eraseStatus()
        flush()
        say(tally.summary)
        if terminal != nil, !tally.clusters.isEmpty {
            say("clusters  " + tally.clusterSizes(width: Terminal.error.size.columns - 10))
        }
    }

    /// What becomes of cluster numbers, as far as that is known.
    static func map(_ map: [Int?]) -> String {
        let known = map.enumerated().compactMap { old, new in new.map { (old, $0) } }
        guard !known.isEmpty else { return "cluster numbers have another meaning" }
        let moved = known.filter { $0 != $1 }.map { "\($0) is now \($1)" }
        let unknown = map.count - known.count
        return (moved.isEmpty ? "clusters keep their numbers" : "cluster " + moved.joined(separator: ", "))
            + (unknown > 0 ? "; of \(unknown) nothing is known" : "")
    }

    private func row(_ row: String, _ terminal: Terminal) {
        eraseStatus()
        let (columns, rows) = terminal.size
        // Again once a screenful, so that it is always in sight; bold by ECMA-48, SGR.
        if rowsSinceHeader >= max(5, rows - 3) {
            buffer += Array("\u{1B}[1m\(AssignmentTable(width: columns).header)\u{1B}[0m\n".utf8)
            rowsSinceHeader = 0
        }
        rowsSinceHeader += 1
        buffer += Array((row + "\n").utf8)
    }

    /// The line below the table, which moves along with it.
    private func drawStatus(_ tally: WatchTally) {
        guard let terminal, tally.assignments + tally.rejected > 0 else { return }
        let now = ContinuousClock.now
        if hasStatus, let lastDrawn, now - lastDrawn < Self.drawInterval { return }
        lastDrawn = now
        meter.note(tally.assignments, at: now)
        var line = counted(tally.assignments, "assignment")
        if let rate = meter.perSecond { line += "  \(quantity(rate))/s" }
        if tally.rejected > 0 { line += "  \(grouped(tally.rejected)) rejected" }
        if tally.missing > 0 { line += "  \(grouped(tally.missing)) missing" }
        let width = terminal.size.columns - 1
        let room = width - columns(line) - 3
        if room > 10 { line += " │ " + tally.clusterSizes(width: room) }
        eraseStatus()
        buffer += Array("\u{1B}[2m\(columns(line) > width ? fitted(line, width) : line)\u{1B}[0m".utf8)
        hasStatus = true
    }

    private func eraseStatus() {
        if hasStatus { buffer += Array("\r\u{1B}[K".utf8) }
        hasStatus = false
    }

    /// Says a line on standard error, above the status.
    public func say(_ line: String) {
        eraseStatus()
        flush()
        _ = errors.write(Array((line + "\n").utf8))
        if rowsSinceHeader < Int.max { rowsSinceHeader += 1 }
    }

    private func flush() {
        guard !buffer.isEmpty, ending == .complete else { return }
        switch output.write(buffer) {
        case .written: break
        case .readerGone: ending = .readerGone
        case .failed(let number): ending = .failed(number)
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
