// The worker that writes checkpoints, so that training does not wait for the disk.
//
// At most one state of the schedule is under way: while the disk is slower than the schedule, checkpoints become rarer,
// memory does not grow. A model that has been taken in is written after what is under way. A failed write is reported and
// leaves training alone; the trainer tries again later.

import ContrastiveClustering

/// The checkpoint-writing worker.
package final class CheckpointWriter: Sendable {
    /// Writes a state whose clusters have their meaning in a label epoch; throws where that fails.
    package typealias Write = @Sendable (_ state: LearnerState, _ labelEpoch: UInt64) throws -> Void

    private struct Job: Sendable {
        var state: LearnerState
        var labelEpoch: UInt64
        var answer: Answer<Void>?
    }

    private struct State: Sendable {
        var pending: [Job] = []
        var isWriting = false
        var hasFailed = false
        var closed = false
    }

    /// What its thread is at.
    package let mark = WorkMark("writing a checkpoint", patience: 600)
    private let state: Monitor<State>
    private let thread: WorkerThread

    /// Creates a writer that is not running yet.
    ///
    /// - Parameters:
    ///   - write: writes a state; called on the writer's thread.
    ///   - onIdle: called on that thread when the writer is free again.
    package init(write: @escaping Write, onIdle: @escaping @Sendable () -> Void) {
        let state = Monitor(State())
        self.state = state
        thread = WorkerThread(name: "checkpoint", niceness: Trainer.niceness) { [mark] in
            while let job = Self.next(state) {
                mark.begin()
                defer { mark.end() }
                var failure: TrainerRefusal?
                do {
                    try write(job.state, job.labelEpoch)
                } catch {
                    failure = TrainerRefusal("\(error)")
                }
                state.withLock {
                    $0.isWriting = false
                    $0.hasFailed = failure != nil
                }
                job.answer?.give(failure.map { .failure($0) } ?? .success(()))
                onIdle()
            }
        }
    }

    private static func next(_ state: Monitor<State>) -> Job? {
        state.wait { state in
            if !state.pending.isEmpty {
                state.isWriting = true
                return .done(state.pending.removeFirst())
            }
            return state.closed ? .done(nil) : .wait(until: nil)
        }
    }

    /// Whether a state is waiting or being written.
    package var isBusy: Bool { state.read { !$0.pending.isEmpty || $0.isWriting } }

    /// Whether the last write failed.
    package var hasFailed: Bool { state.read { $0.hasFailed } }

    /// Hands a state over; the writer must not be busy.
    ///
    /// - Parameter answer: is told what became of it.
    func submit(_ learnerState: LearnerState, labelEpoch: UInt64, answer: Answer<Void>? = nil) {
        precondition(!isBusy, "a checkpoint is still being written")
        enqueue(learnerState, labelEpoch: labelEpoch, answer: answer)
    }

    /// Hands a state over to be written after those under way.
    ///
    /// - Parameter answer: is told what became of it.
    func enqueue(_ learnerState: LearnerState, labelEpoch: UInt64, answer: Answer<Void>?) {
        state.withLock { $0.pending.append(Job(state: learnerState, labelEpoch: labelEpoch, answer: answer)) }
    }

    /// Waits until nothing is waiting or being written.
    package func waitUntilIdle() {
        state.wait { state in
            !state.pending.isEmpty || state.isWriting ? .wait(until: nil) : .done(())
        }
    }

    /// Starts the worker; a second call does nothing.
    package func start() { thread.start() }

    /// Says that no further state will come: what waits is written, then the worker ends.
    package func stop() { state.withLock { $0.closed = true } }

    /// Waits until the worker has ended.
    package func join() { thread.join() }
}
