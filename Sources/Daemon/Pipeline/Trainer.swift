// The worker that learns: one step a mini-batch, in order of arrival, for as long as images come.
//
// After a step the weights go to the assigner, and when one is due a copy of the state goes to the checkpoint writer;
// neither is waited for. A step whose losses are not numbers is never handed on, and when it happens again and again the
// last good checkpoint is taken back.

import ContrastiveClustering
import Imaging
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
    /// Steps without finite losses in a row after which the last good checkpoint is taken back.
    package static let toleratedBrokenSteps = 3
    /// The scheduling priority of training, low, so that an image is answered at once while a step is under way.
    package static let niceness = 10

    private let thread: WorkerThread
    private let buffer: TrainingBuffer

    /// Creates a trainer that is not running yet.
    ///
    /// - Parameters:
    ///   - learner: the learner to train, at `step` steps.
    ///   - buffer: where mini-batches come from; closing it ends the trainer.
    ///   - weights: where the assigner picks weights up.
    ///   - writer: where checkpoints go; it is drained when the trainer ends.
    ///   - lastGood: the newest state that can be gone back to, if there is one.
    ///   - onStep: called on the trainer's thread after each step.
    package init(
        learner: LearnerHandover, step: UInt64, buffer: TrainingBuffer, weights: AssignQueue, writer: CheckpointWriter,
        schedule: CheckpointSchedule, counters: PipelineCounters, logger: Logger,
        lastGood: @escaping @Sendable () -> LearnerState?,
        onStep: @escaping @Sendable (StepReport) -> Void = { _ in }
    ) {
        self.buffer = buffer
        thread = WorkerThread(name: "trainer", stackSize: 16 << 20, niceness: Self.niceness) {
            var loop = TrainingLoop(
                learner: learner.learner, buffer: buffer, weights: weights, writer: writer, schedule: schedule,
                counters: counters, logger: logger, lastGood: lastGood, onStep: onStep, step: step)
            loop.run()
        }
    }

    /// Starts the worker; a second call does nothing.
    package func start() { thread.start() }

    /// Says that no further image will come: what waits is trained on, then the worker ends.
    package func stop() { buffer.close() }

    /// Waits until the worker has ended.
    package func join() { thread.join() }
}

/// The state of a trainer's loop; it lives on the trainer's thread alone.
private struct TrainingLoop {
    let learner: any Learner
    let buffer: TrainingBuffer
    let weights: AssignQueue
    let writer: CheckpointWriter
    let schedule: CheckpointSchedule
    let counters: PipelineCounters
    let logger: Logger
    let lastGood: @Sendable () -> LearnerState?
    let onStep: @Sendable (StepReport) -> Void

    /// Steps that the learner has taken.
    var step: UInt64
    /// The step that was last handed to the writer, and when.
    var submittedStep: UInt64
    var submittedAt: MonotonicTime
    var brokenSteps = 0
    var assignerIsBehind = false
    var progress = ProgressLine()

    init(
        learner: any Learner, buffer: TrainingBuffer, weights: AssignQueue, writer: CheckpointWriter,
        schedule: CheckpointSchedule, counters: PipelineCounters, logger: Logger,
        lastGood: @escaping @Sendable () -> LearnerState?, onStep: @escaping @Sendable (StepReport) -> Void,
        step: UInt64
    ) {
        self.learner = learner
        self.buffer = buffer
        self.weights = weights
        self.writer = writer
        self.schedule = schedule
        self.counters = counters
        self.logger = logger
        self.lastGood = lastGood
        self.onStep = onStep
        self.step = step
        submittedStep = step
        submittedAt = .now
    }

    mutating func run() {
        while true {
            // Copying the weights is left out while the assigner has not taken the last copy, but a pause is used to
            // make up for it: an image after the pause is answered with what has been learnt before it.
            if assignerIsBehind && !buffer.holdsBatch { offerWeights() }
            switch buffer.next(until: checkpointDeadline) {
            case .batch(let images):
                train(images)
                checkpointIfDue()
            case .rest(let images):
                trainRest(images)
                finish()
                return
            case .nothing:
                checkpointIfDue()
            }
        }
    }

    private mutating func train(_ images: [RGBImage]) {
        let started = MonotonicTime.now
        let report = learner.train(images, next: buffer.upcoming)
        counters.countStep(images: images.count)
        onStep(report)
        guard report.losses.total.isFinite else { return recoverFromBrokenStep(report) }
        step = report.step
        brokenSteps = 0
        if weights.wantsSnapshot { offerWeights() } else { assignerIsBehind = true }
        progress.add(report, images: images.count, started: started, to: logger)
    }

    private mutating func offerWeights() {
        weights.offer(learner.snapshot())
        assignerIsBehind = false
    }

    private mutating func trainRest(_ images: [RGBImage]) {
        guard !images.isEmpty else { return }
        if images.count >= 2 && images.count * 2 >= buffer.batchSize {
            train(images)
            return
        }
        counters.countLeftOutRest(images.count)
        logger.notice(
            "a rest of fewer than half a mini-batch is left out of training",
            metadata: ["images": "\(images.count)", "batch_size": "\(buffer.batchSize)"])
    }

    // MARK: Checkpoints

    private var hasUnsavedSteps: Bool { brokenSteps == 0 && step > (writer.hasFailed ? 0 : submittedStep) }

    /// When to look again whether a checkpoint is due, should no mini-batch come.
    private var checkpointDeadline: MonotonicTime? {
        // A busy writer wakes the trainer when it is done.
        guard !writer.isBusy, hasUnsavedSteps else { return nil }
        return submittedAt.advanced(bySeconds: writer.hasFailed ? schedule.retrySeconds : schedule.everySeconds)
    }

    private mutating func checkpointIfDue() {
        guard hasUnsavedSteps, !writer.isBusy else { return }
        let waited = MonotonicTime.now.seconds(since: submittedAt)
        let isDue =
            writer.hasFailed
            ? waited >= schedule.retrySeconds
            : step - submittedStep >= schedule.everySteps || waited >= schedule.everySeconds
        if isDue { submit() }
    }

    private mutating func submit() {
        submittedStep = step
        submittedAt = .now
        writer.submit(learner.exportState())
    }

    private mutating func finish() {
        writer.waitUntilIdle()
        if hasUnsavedSteps { submit() }
        writer.stop()
        writer.join()
        progress.flush(to: logger)
    }

    // MARK: Broken steps

    private mutating func recoverFromBrokenStep(_ report: StepReport) {
        brokenSteps += 1
        logger.error(
            "the losses of a step are not finite; its weights are not used",
            metadata: ["step": "\(report.step)", "in_a_row": "\(brokenSteps)"])
        guard brokenSteps >= Trainer.toleratedBrokenSteps else { return }
        writer.waitUntilIdle()
        guard let state = lastGood() else {
            logger.error("there is no good checkpoint to go back to; training goes on")
            return
        }
        do {
            try learner.importState(state)
            step = state.step
            submittedStep = state.step
            brokenSteps = 0
            offerWeights()
            logger.warning("went back to the last good checkpoint", metadata: ["step": "\(step)"])
        } catch {
            logger.error("cannot go back to the last good checkpoint", metadata: ["reason": "\(error)"])
        }
    }
}

/// A log line on training now and then: losses, and images a second since the last line.
private struct ProgressLine {
    private static let interval = 10.0
    private var last: (report: StepReport, images: Int, seconds: Double)?
    private var writtenAt: MonotonicTime?

    mutating func add(_ report: StepReport, images: Int, started: MonotonicTime, to logger: Logger) {
        let seconds = MonotonicTime.now.seconds(since: started)
        last = (report, images + (last?.images ?? 0), seconds + (last?.seconds ?? 0))
        logger.debug(
            "step",
            metadata: [
                "step": "\(report.step)", "loss": "\(report.losses.total)", "instance": "\(report.losses.instance)",
                "cluster": "\(report.losses.cluster)", "entropy": "\(report.losses.entropy)",
            ])
        if writtenAt.map({ MonotonicTime.now.seconds(since: $0) >= Self.interval }) ?? true { flush(to: logger) }
    }

    mutating func flush(to logger: Logger) {
        guard let (report, images, seconds) = last else { return }
        last = nil
        writtenAt = .now
        let rate = seconds > 0 ? Double(images) / seconds : 0
        logger.info(
            "training",
            metadata: [
                "step": "\(report.step)", "loss": "\(report.losses.total)", "instance": "\(report.losses.instance)",
                "cluster": "\(report.losses.cluster)", "entropy": "\(report.losses.entropy)",
                "images_per_second": "\((rate * 10).rounded() / 10)",
            ])
    }
}
