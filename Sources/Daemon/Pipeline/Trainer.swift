// The worker that learns: one step a mini-batch, in order of arrival, for as long as images come.
//
// It alone has the learner that trains. Others ask it for what they need of it, and are answered between two steps.

import ContrastiveClustering
import Logging

/// When a checkpoint is due.
package struct CheckpointSchedule: Sendable {
    /// Steps between checkpoints.
    package var everySteps: UInt64
    /// Seconds between checkpoints, if any step was taken.
    package var everySeconds: Double
    /// Seconds before a failed write is tried again.
    package var retrySeconds: Double

    /// Creates a schedule.
    package init(everySteps: UInt64, everySeconds: Double, retrySeconds: Double = 30) {
        self.everySteps = everySteps
        self.everySeconds = everySeconds
        self.retrySeconds = retrySeconds
    }
}

/// The training worker.
package final class Trainer: Sendable {
    /// What training is connected to.
    struct Surroundings: Sendable {
        /// Where mini-batches come from; closing it ends the trainer.
        let buffer: TrainingBuffer
        /// Where the assigner picks weights up.
        let weights: AssignQueue
        /// Where checkpoints go; it is drained when the trainer ends.
        let writer: CheckpointWriter
        let counters: PipelineCounters
        let status: LearningStatus
        let logger: Logger
        /// The newest state of a label epoch that can be gone back to, if there is one.
        let lastGood: @Sendable (_ labelEpoch: UInt64) -> LearnerState?
        /// Called on the trainer's thread after each step.
        let onStep: @Sendable (StepReport) -> Void
    }

    /// Steps without finite losses and gradients in a row after which the last good checkpoint is taken back.
    package static let toleratedBrokenSteps = 3
    /// The scheduling priority of training, low, so that an image is answered at once while a step is under way.
    package static let niceness = 10

    /// What its thread is at. It and its helpers have the lowest priority, so others may long be in the way.
    package let mark = WorkMark("training", patience: 300)
    private let thread: WorkerThread
    private let buffer: TrainingBuffer
    private let mailbox = TrainerMailbox()

    /// Creates a trainer that is not running yet.
    ///
    /// - Parameter learner: the learner to train, its weights those of `version`.
    init(learner: LearnerHandover, version: ModelVersion, schedule: CheckpointSchedule, surroundings: Surroundings) {
        buffer = surroundings.buffer
        thread = WorkerThread(name: "trainer", stackSize: 16 << 20, niceness: Self.niceness) { [mailbox, mark] in
            var loop = TrainingLoop(
                learner: learner.learner, version: version, schedule: schedule, mailbox: mailbox, mark: mark,
                surroundings: surroundings)
            loop.run()
        }
    }

    /// Starts the worker; a second call does nothing.
    package func start() { thread.start() }

    /// Says that no further image will come: what waits is trained on, then the worker ends.
    package func stop() { buffer.close() }

    /// Waits until the worker has ended.
    package func join() {
        thread.join()
        // One that was never started answers nobody either.
        mailbox.close()
    }

    // MARK: Requests

    /// A copy of the weights, once the step under way is over.
    package func snapshot() throws(TrainerRefusal) -> WeightSnapshot { try ask { .snapshot($0) } }

    /// Has a checkpoint of what has been learnt so far written, and waits until it is; at once where there is one.
    package func save() throws(TrainerRefusal) { try ask { .save($0) } }

    /// Goes on with another model once the step under way is over, and gives it to the assigner.
    ///
    /// - Returns: the learner of the model before, and the fate of a checkpoint.
    /// - Throws: `TrainerRefusal` where training has ended.
    func replace(with replacement: Replacement) throws(TrainerRefusal) -> Replaced {
        try ask { .replace(replacement, $0) }
    }

    /// Goes by other settings once the step under way is over.
    package func adjust(learningRate: Float, schedule: CheckpointSchedule) {
        mailbox.post(.adjust(learningRate: learningRate, schedule))
        buffer.wake()
    }

    private func ask<Value>(_ request: (Answer<Value>) -> TrainerRequest) throws(TrainerRefusal) -> Value {
        let answer = Answer<Value>()
        mailbox.post(request(answer))
        buffer.wake()
        return try answer.wait()
    }
}
