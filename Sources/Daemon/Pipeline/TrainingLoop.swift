// What the trainer's thread does: steps, and between them checkpoints and what others ask for.
//
// After a step the weights go to the assigner, and when one is due a copy of the state goes to the checkpoint writer;
// neither is waited for. A step whose losses or gradients are not numbers is never handed on, and when it happens again and
// again the last good checkpoint is taken back.

import ContrastiveClustering
import Imaging
import Logging

/// The state of a trainer's loop; it lives on the trainer's thread alone.
struct TrainingLoop {
    private var learner: any Learner
    /// The rate that steps are taken with, where it is another than the learner was made with.
    private var learningRate: Float?
    private var schedule: CheckpointSchedule
    private let mailbox: TrainerMailbox
    private let mark: WorkMark
    private let outside: Trainer.Surroundings
    private var buffer: TrainingBuffer { outside.buffer }
    private var writer: CheckpointWriter { outside.writer }
    private var logger: Logger { outside.logger }

    /// The learner as it was made, trained for no step; nil where it goes on from a checkpoint.
    private let blank: ModelVersion?
    /// The learner's steps, and what its clusters mean.
    private var version: ModelVersion
    /// What was last handed to the writer, and when; nil where nothing of this model has been.
    private var submitted: ModelVersion?
    private var submittedAt = MonotonicTime.now
    private var saves: [Answer<Void>] = []
    private var brokenSteps = 0
    private var assignerIsBehind = false
    private var progress = TrainingProgressLog()

    init(
        learner: any Learner, version: ModelVersion, schedule: CheckpointSchedule, mailbox: TrainerMailbox,
        mark: WorkMark,
        surroundings: Trainer.Surroundings
    ) {
        self.learner = learner
        self.version = version
        self.schedule = schedule
        self.mailbox = mailbox
        self.mark = mark
        outside = surroundings
        // What has been trained before has been resumed from a checkpoint.
        blank = version.step > 0 ? nil : version
        submitted = version.step > 0 ? version : nil
    }

    mutating func run() {
        mark.begin()
        defer { mark.end() }
        while true {
            answerRequests()
            // Copying the weights is left out while the assigner has not taken the last copy, but a pause is used to
            // make up for it: an image after the pause is answered with what has been learnt before it.
            if assignerIsBehind && !buffer.holdsBatch { offerWeights() }
            switch mark.idle({ buffer.next(until: checkpointDeadline) }) {
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
        let seconds = MonotonicTime.now.seconds(since: started)
        outside.counters.countStep(images: images.count)
        outside.counters.timings.step.record(seconds)
        outside.onStep(report)
        guard report.isFinite else { return recoverFromBrokenStep(report) }
        version.step = report.step
        brokenSteps = 0
        outside.status.update { [version] status in
            status.version = version
            status.losses = report.losses
            status.stepSeconds = seconds
        }
        if outside.weights.wantsUpdate { offerWeights() } else { assignerIsBehind = true }
        progress.add(report, images: images.count, seconds: seconds, to: logger)
    }

    private mutating func offerWeights() {
        outside.weights.offer(ModelUpdate(learner.snapshot(), labelEpoch: version.labelEpoch))
        assignerIsBehind = false
    }

    private mutating func trainRest(_ images: [RGBImage]) {
        guard !images.isEmpty else { return }
        if !buffer.isPaused, images.count >= 2, images.count * 2 >= buffer.batchSize {
            train(images)
            return
        }
        outside.counters.countLeftOutRest(images.count)
        logger.notice(
            buffer.isPaused
                ? "images that waited for the paused training are left out of it"
                : "a rest of fewer than half a mini-batch is left out of training",
            metadata: ["images": "\(images.count)", "batch_size": "\(buffer.batchSize)"])
    }

    // MARK: Requests

    private mutating func answerRequests() {
        for request in mailbox.takeAll() {
            switch request {
            case .snapshot(let answer): answer.give(.success(learner.snapshot()))
            case .save(let answer): saves.append(answer)
            case .adjust(let learningRate, let schedule):
                learner.setLearningRate(learningRate)
                self.learningRate = learningRate
                self.schedule = schedule
            case .replace(let replacement, let answer): answer.give(.success(replace(with: replacement)))
            }
        }
        answerSaves()
    }

    private mutating func answerSaves() {
        // A busy writer wakes the trainer when it is done.
        guard !saves.isEmpty, !writer.isBusy else { return }
        let answer = saves.removeFirst()
        if brokenSteps > 0 {
            answer.give(.failure(TrainerRefusal("the last step's losses or gradients are not finite")))
        } else if submitted == version, !writer.hasFailed {
            answer.give(.success(()))
        } else {
            submit(answer)
        }
    }

    /// Goes on with another learner. It has been made ready elsewhere, so that no image waits for training meanwhile.
    private mutating func replace(with replacement: Replacement) -> Replaced {
        learner.releaseWorkingMemory()
        let before = LearnerHandover(learner)
        learner = replacement.learner.learner
        if let learningRate { learner.setLearningRate(learningRate) }
        version = ModelVersion(
            step: replacement.state.step, labelEpoch: UInt64(replacement.relabeling.labelEpoch))
        brokenSteps = 0
        outside.status.update { [version] status in
            status.version = version
            status.losses = nil
        }
        outside.weights.offer(
            ModelUpdate(
                replacement.snapshot, labelEpoch: version.labelEpoch, relabelings: [replacement.relabeling]))
        assignerIsBehind = false
        // Of the very model that was taken in, whatever is learnt meanwhile.
        let written = Answer<Void>()
        (submitted, submittedAt) = (version, .now)
        writer.enqueue(replacement.state, labelEpoch: version.labelEpoch, answer: written)
        return Replaced(before: before, written: written)
    }

    // MARK: Checkpoints

    private var hasUnsavedSteps: Bool {
        brokenSteps == 0 && version != blank && (submitted != version || writer.hasFailed)
    }

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
            : version.step - (submitted?.step ?? 0) >= schedule.everySteps || waited >= schedule.everySeconds
        if isDue { submit() }
    }

    private mutating func submit(_ answer: Answer<Void>? = nil) {
        submitted = version
        submittedAt = .now
        writer.submit(learner.exportState(), labelEpoch: version.labelEpoch, answer: answer)
    }

    private mutating func finish() {
        while !saves.isEmpty {
            mark.idle { writer.waitUntilIdle() }
            answerSaves()
        }
        mark.idle { writer.waitUntilIdle() }
        if hasUnsavedSteps { submit() }
        writer.stop()
        mark.idle { writer.join() }
        mailbox.close()
        progress.flush(to: logger)
    }

    // MARK: Broken steps

    private mutating func recoverFromBrokenStep(_ report: StepReport) {
        brokenSteps += 1
        outside.status.update { $0.skippedSteps += 1 }
        logger.error(
            "the losses or gradients of a step are not finite; nothing is learnt from it",
            metadata: ["step": "\(report.step)", "in_a_row": "\(brokenSteps)"])
        guard brokenSteps >= Trainer.toleratedBrokenSteps else { return }
        mark.idle { writer.waitUntilIdle() }
        guard let state = outside.lastGood(version.labelEpoch) else {
            logger.error("there is no good checkpoint to go back to; training goes on")
            return
        }
        do {
            try learner.importState(state)
            version.step = state.step
            submitted = version
            brokenSteps = 0
            outside.status.update { [version] status in
                status.version = version
                status.restorations += 1
            }
            offerWeights()
            logger.warning("went back to the last good checkpoint", metadata: ["step": "\(version.step)"])
        } catch {
            logger.error("cannot go back to the last good checkpoint", metadata: ["reason": "\(error)"])
        }
    }
}
