// A worker's sign of life: whether it is at something, and whether it gets on with it.
//
// How long a training step takes depends on the model, the machine and everybody else who wants the processor, and is
// anything from milliseconds to minutes. So time alone does not tell a step that is long from one that hangs. What tells is
// the processor time of the worker's thread: a thread that waits for what never comes uses none, and one that runs in
// circles uses much more than its work has ever taken.

import Glibc
import Synchronization

/// What one thread marks its work on, and others look at.
package final class WorkMark: Sendable {
    /// Work under way.
    package struct Progress: Sendable, Equatable {
        /// Which piece of work, counted from 1.
        package var piece: UInt64
        /// Seconds of processor time that the thread has spent on it.
        package var processorSeconds: Double
        /// The most that a piece has taken so far; nil while none has been finished.
        package var longest: Double?
    }

    /// What the worker does, for people.
    package let name: String
    /// Seconds that the thread may be at something without having run.
    package let patience: Double
    // No lock: whoever looks must not wait for a worker of low priority that was interrupted while it had one.
    /// Which piece of work, and whether it is under way.
    private let piece = Atomic<UInt64>(0)
    private let isBusy = Atomic<Bool>(false)
    /// The clock of the thread's processor time, what it showed when the piece was begun, and the longest piece by it.
    private let clock = Atomic<clockid_t>(0)
    private let begun = Atomic<UInt64>(0)
    private let longest = Atomic<UInt64>(0)

    /// Creates the mark of a worker that has nothing to do.
    package init(_ name: String, patience: Double = 60) {
        self.name = name
        self.patience = patience
    }

    /// Says that the calling thread begins a piece of work.
    package func begin() {
        var clock = clockid_t()
        // pthread_getcpuclockid(3)
        pthread_getcpuclockid(pthread_self(), &clock)
        self.clock.store(clock, ordering: .relaxed)
        begun.store(Self.nanoseconds(clock), ordering: .relaxed)
        piece.add(1, ordering: .releasing)
        isBusy.store(true, ordering: .releasing)
    }

    /// Says that it is done; to be called by the thread that began.
    package func end() {
        guard isBusy.load(ordering: .relaxed) else { return }
        isBusy.store(false, ordering: .releasing)
        let taken = Self.nanoseconds(clock.load(ordering: .relaxed)) &- begun.load(ordering: .relaxed)
        // One that took no measurable time has been finished all the same.
        longest.max(Swift.max(1, taken), ordering: .relaxed)
    }

    /// Ends the piece of work for as long as `body` waits for another, and begins the next.
    package func idle<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        end()
        defer { begin() }
        return try body()
    }

    /// Whether the thread would go on at this moment if the machine let it: it waits for a processor, or for a disk, be it for
    /// its own memory. Another process would not fare better in its place.
    package var isHeldUp: Bool {
        // clock_getcpuclockid(3): Linux has a thread's number in its clock's, `~(clock >> 3)`, and proc(5) the state behind a
        // name in brackets.
        let thread = ~(clock.load(ordering: .relaxed) >> 3)
        let file = open("/proc/self/task/\(thread)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(file, &bytes, bytes.count)
        guard count > 0, let end = bytes[..<count].lastIndex(of: UInt8(ascii: ")")), end + 2 < count else {
            return false
        }
        return bytes[end + 2] == UInt8(ascii: "R") || bytes[end + 2] == UInt8(ascii: "D")
    }

    /// The work under way; nil where there is none.
    package var progress: Progress? {
        guard isBusy.load(ordering: .acquiring) else { return nil }
        let piece = piece.load(ordering: .acquiring)
        // Of a piece that begins right now the start may be the next one's: that is less than what it has taken, or none.
        let (now, begun) = (Self.nanoseconds(clock.load(ordering: .relaxed)), begun.load(ordering: .relaxed))
        let longest = longest.load(ordering: .relaxed)
        return Progress(
            piece: piece, processorSeconds: now > begun ? Double(now - begun) * 1e-9 : 0,
            longest: longest > 0 ? Double(longest) * 1e-9 : nil)
    }

    /// clock_gettime(2)
    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
