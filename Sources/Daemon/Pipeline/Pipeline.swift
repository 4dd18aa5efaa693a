// The workers put together: from the queues that the sockets fill to assignments, training and checkpoints.
//
// It knows no socket and no folder; those are behind `IngressQueues`, `PipelineOutput` and the `write` function. Draining
// goes with the stream: each worker ends when what feeds it has ended and it has passed everything on.

import ContrastiveClustering
import Imaging
import Logging
import StreamProtocol

/// Decoder, assigner, trainer and checkpoint writer with the queues between them.
package final class Pipeline: Sendable {
    /// What the workers go by.
    package struct Settings: Sendable {
        /// Decoding threads.
        package var decoderThreads: Int
        /// Images a batch of the assigner.
        package var maximumBatch: Int
        /// Seconds that an image waits for others on their way.
        package var maximumDelay: Double
        /// The embedding published with an assignment.
        package var embedding: EmbeddingKind
        /// Images a training step.
        package var batchSize: Int
        /// Bytes beyond which a picture kept for training is reduced.
        package var maximumTrainingBytes: Int
        /// When checkpoints are due.
        package var schedule: CheckpointSchedule

        /// Creates settings.
        package init(
            decoderThreads: Int, maximumBatch: Int, maximumDelay: Double, embedding: EmbeddingKind, batchSize: Int,
            maximumTrainingBytes: Int, schedule: CheckpointSchedule
        ) {
            self.decoderThreads = decoderThreads
            self.maximumBatch = maximumBatch
            self.maximumDelay = maximumDelay
            self.embedding = embedding
            self.batchSize = batchSize
            self.maximumTrainingBytes = maximumTrainingBytes
            self.schedule = schedule
        }
    }

    /// The two learners, both with weights trained for `step` steps.
    package struct Learners: Sendable {
        /// The learner that trains.
        package var training: LearnerHandover
        /// The learner that assigns.
        package var assigning: LearnerHandover
        /// Steps taken so far.
        package var step: UInt64

        /// Puts the learners together.
        package init(training: LearnerHandover, assigning: LearnerHandover, step: UInt64) {
            self.training = training
            self.assigning = assigning
            self.step = step
        }
    }

    /// What became of the images.
    package let counters = PipelineCounters()
    /// The assignments' epoch and last number.
    package let numbering: AssignmentNumbering
    /// How clusters and labels go together.
    package let agreement: LabelAgreement

    private let decoder: Decoder
    private let assigner: Assigner
    private let trainer: Trainer
    private let writer: CheckpointWriter

    /// Puts the workers together; none is running yet.
    ///
    /// - Parameters:
    ///   - intake: where images come from; closing it is how the pipeline is told to end.
    ///   - sources: how many queues the intake has.
    ///   - decode: bytes to pixels.
    ///   - output: where assignments and rejections go.
    ///   - numbering: what assignments are numbered by.
    ///   - agreement: counts how clusters and labels go together.
    ///   - write: writes a checkpoint, and says whether that succeeded; called on a thread of its own.
    ///   - lastGood: the newest state that training can go back to.
    ///   - onStep: called after each training step on the trainer's thread.
    package init(
        settings: Settings, learners: Learners, intake: IngressQueues, sources: Int,
        decode: @escaping @Sendable (IncomingImage) throws(UnreadableImage) -> RGBImage,
        output: any PipelineOutput, numbering: AssignmentNumbering, agreement: LabelAgreement = LabelAgreement(),
        write: @escaping @Sendable (LearnerState) -> Bool,
        lastGood: @escaping @Sendable () -> LearnerState?, logger: Logger,
        onStep: @escaping @Sendable (StepReport) -> Void = { _ in }
    ) {
        let queue = AssignQueue(maximumBatch: settings.maximumBatch, maximumDelay: settings.maximumDelay)
        let buffer = TrainingBuffer(batchSize: settings.batchSize) { intake.trainingRoomFreed() }
        intake.admit(asLongAs: buffer)
        self.numbering = numbering
        self.agreement = agreement
        decoder = Decoder(
            threads: settings.decoderThreads, intake: intake, sources: sources, decode: decode,
            maximumTrainingBytes: settings.maximumTrainingBytes, buffer: buffer, queue: queue, output: output,
            counters: counters)
        assigner = Assigner(
            learner: learners.assigning, step: learners.step, queue: queue, embedding: settings.embedding,
            output: output, numbering: numbering, agreement: agreement, counters: counters)
        writer = CheckpointWriter(write: write, onIdle: { buffer.wake() })
        trainer = Trainer(
            learner: learners.training, step: learners.step, buffer: buffer, weights: queue, writer: writer,
            schedule: settings.schedule, counters: counters, logger: logger, lastGood: lastGood, onStep: onStep)
    }

    /// Starts the workers; a second call does nothing.
    package func start() {
        writer.start()
        trainer.start()
        assigner.start()
        decoder.start()
    }

    /// Waits, once the intake has been closed, until every image has been assigned, trained on or counted as left out,
    /// and the last checkpoint is written; returns at once where that has happened or nothing was started.
    package func drain() {
        decoder.join()
        assigner.stop()
        assigner.join()
        trainer.stop()
        trainer.join()
        writer.stop()
        writer.join()
    }

    /// Whether the last checkpoint that was due could not be written.
    package var lastCheckpointFailed: Bool { writer.hasFailed }
}
