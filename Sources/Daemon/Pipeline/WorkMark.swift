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

    private struct State: Sendable {
        var piece: UInt64 = 0
        var isBusy = false
        /// The clock of the thread's processor time, and what it showed when the piece was begun.
        var clock = clockid_t()
        var begun = 0.0
        var longest: Double?
    }

    /// What the worker does, for people.
    package let name: String
    /// Seconds that the thread may be at something without having run.
    package let patience: Double
    private let state = Mutex(State())

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
        state.withLock { state in
            state.piece += 1
            state.isBusy = true
            state.clock = clock
            state.begun = Self.seconds(clock)
        }
    }

    /// Says that it is done; to be called by the thread that began.
    package func end() {
        state.withLock { state in
            guard state.isBusy else { return }
            state.isBusy = false
            state.longest = max(state.longest ?? 0, Self.seconds(state.clock) - state.begun)
        }
    }

    /// Ends the piece of work for as long as `body` waits for another, and begins the next.
    package func idle<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        end()
        defer { begin() }
        return try body()
    }

    /// The work under way; nil where there is none.
    package var progress: Progress? {
        state.withLock { state in
            guard state.isBusy else { return nil }
            return Progress(
                piece: state.piece, processorSeconds: Self.seconds(state.clock) - state.begun, longest: state.longest)
        }
    }

    /// clock_gettime(2)
    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
