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
        /// How many clusters the model has.
        package var clusters: Int
        /// Images a training step.
        package var batchSize: Int
        /// Bytes beyond which a picture kept for training is reduced.
        package var maximumTrainingBytes: Int
        /// When checkpoints are due.
        package var schedule: CheckpointSchedule
        /// The side of the pictures that the assigner warms up with; nil where it does not.
        package var warmUpSide: Int?

        /// Creates settings.
        package init(
            decoderThreads: Int, maximumBatch: Int, maximumDelay: Double, embedding: EmbeddingKind, clusters: Int,
            batchSize: Int, maximumTrainingBytes: Int, schedule: CheckpointSchedule
        ) {
            self.decoderThreads = decoderThreads
            self.maximumBatch = maximumBatch
            self.maximumDelay = maximumDelay
            self.embedding = embedding
            self.clusters = clusters
            self.batchSize = batchSize
            self.maximumTrainingBytes = maximumTrainingBytes
            self.schedule = schedule
        }
    }

    /// The learners that assign.
    package struct Learners: Sendable {
        /// The learner that serves first, with the weights of `version`.
        package var assigning: LearnerHandover
        /// The learner that takes the next weights in.
        package var spare: LearnerHandover
        /// Steps taken so far, and what the clusters mean.
        package var version: ModelVersion

        /// Puts the learners together.
        package init(assigning: LearnerHandover, spare: LearnerHandover, version: ModelVersion) {
            self.assigning = assigning
            self.spare = spare
            self.version = version
        }
    }

    /// What a pipeline that trains has besides.
    package struct Training: Sendable {
        /// The learner that trains, its weights those that serve first.
        package var learner: LearnerHandover
        /// Writes a checkpoint; called on a thread of its own.
        package var write: CheckpointWriter.Write
        /// The newest state of a label epoch that training can go back to.
        package var lastGood: @Sendable (_ labelEpoch: UInt64) -> LearnerState?
        /// Called after each training step on the trainer's thread.
        package var onStep: @Sendable (StepReport) -> Void

        /// Puts it together.
        package init(
            learner: LearnerHandover, write: @escaping CheckpointWriter.Write,
            lastGood: @escaping @Sendable (_ labelEpoch: UInt64) -> LearnerState?,
            onStep: @escaping @Sendable (StepReport) -> Void = { _ in }
        ) {
            self.learner = learner
            self.write = write
            self.lastGood = lastGood
            self.onStep = onStep
        }
    }

    /// What became of the images.
    package let counters = PipelineCounters()
    /// The assignments' epoch and last number.
    package let numbering: Monitor<AssignmentNumbering>
    /// How clusters and labels go together.
    package let agreement: LabelAgreement
    /// How images spread over the clusters.
    package let usage: ClusterUsage
    /// How learning goes.
    package let learning: LearningStatus
    /// The model that images are assigned with.
    package let serving: ServingModel
    /// What may be asked of training; nil in a pipeline that assigns only.
    package let trainer: Trainer?

    private let buffer: TrainingBuffer?
    private let queue: AssignQueue
    private let decoder: Decoder
    private let assigner: Assigner
    private let preparer: WeightPreparer
    private let writer: CheckpointWriter?

    /// Puts the workers together; none is running yet.
    ///
    /// - Parameters:
    ///   - intake: where images come from; closing it is how the pipeline is told to end.
    ///   - sources: how many queues the intake has.
    ///   - decode: bytes to pixels.
    ///   - output: where assignments and rejections go.
    ///   - numbering: what assignments are numbered by.
    ///   - agreement: counts how clusters and labels go together.
    ///   - training: nil where images are assigned only, with weights that come by `offer`.
    ///   - observer: looks on while images are assigned.
    package init(
        settings: Settings, learners: Learners, training: Training?, intake: IngressQueues, sources: Int,
        decode: @escaping @Sendable (IncomingImage) throws(UnreadableImage) -> RGBImage,
        output: any PipelineOutput, numbering: AssignmentNumbering, agreement: LabelAgreement = LabelAgreement(),
        logger: Logger, observer: (any PipelineObserver)? = nil
    ) {
        let queue = AssignQueue(maximumBatch: settings.maximumBatch, maximumDelay: settings.maximumDelay)
        // The intake holds the buffer: held by it in turn, neither would ever go.
        let onRoom: @Sendable () -> Void = { [weak intake] in intake?.trainingRoomFreed() }
        let buffer = training == nil ? nil : TrainingBuffer(batchSize: settings.batchSize, onRoom: onRoom)
        if let buffer { intake.admit(asLongAs: buffer) } else { intake.admitForAssigningOnly() }
        self.numbering = Monitor(numbering)
        self.agreement = agreement
        self.buffer = buffer
        self.queue = queue
        usage = ClusterUsage(clusters: settings.clusters, logger: logger)
        learning = LearningStatus(learners.version)
        serving = ServingModel(learners.version)
        decoder = Decoder(
            threads: settings.decoderThreads, intake: intake, sources: sources, decode: decode,
            maximumTrainingBytes: settings.maximumTrainingBytes, buffer: buffer, queue: queue, output: output,
            counters: counters)
        assigner = Assigner(
            learner: learners.assigning, version: learners.version, queue: queue, embedding: settings.embedding,
            output: output, numbering: self.numbering, agreement: agreement, usage: usage, serving: serving,
            counters: counters, warmUpSide: settings.warmUpSide, observer: observer)
        preparer = WeightPreparer(spare: learners.spare, queue: queue)
        guard let training, let buffer else {
            (writer, trainer) = (nil, nil)
            return
        }
        let writer = CheckpointWriter(write: training.write, onIdle: { buffer.wake() })
        self.writer = writer
        trainer = Trainer(
            learner: training.learner, version: learners.version, schedule: settings.schedule,
            surroundings: .init(
                buffer: buffer, weights: queue, writer: writer, counters: counters, status: learning, logger: logger,
                lastGood: training.lastGood, onStep: training.onStep))
    }

    /// Leaves weights that images are to be assigned with.
    package func offer(_ update: ModelUpdate) { queue.offer(update) }

    /// Stops training until `resumeTraining`; images go on being assigned, and are not trained on.
    package func pauseTraining() { buffer?.setPaused(true) }

    /// Lets training go on.
    package func resumeTraining() { buffer?.setPaused(false) }

    /// Whether training is paused.
    package var isTrainingPaused: Bool { buffer?.isPaused ?? false }

    /// Goes by other settings from now on, as far as they can change: batches of the assigner and the checkpoints' schedule.
    package func adjust(_ settings: Settings, learningRate: Float) {
        queue.setLimits(maximumBatch: settings.maximumBatch, maximumDelay: settings.maximumDelay)
        trainer?.adjust(learningRate: learningRate, schedule: settings.schedule)
    }

    /// How many images wait, for the assigner and for training.
    package var waiting: (assigning: Int, training: Int) { (queue.count, buffer?.count ?? 0) }

    /// How many images may wait for training.
    package var trainingCapacity: Int { buffer?.capacity ?? 0 }

    /// Starts the workers; a second call does nothing.
    package func start() {
        writer?.start()
        trainer?.start()
        preparer.start()
        assigner.start()
        decoder.start()
    }

    /// Waits until the next image is answered as fast as any; returns only once started.
    package func waitUntilWarm() { assigner.waitUntilWarm() }

    /// What the threads are at that images depend on.
    package var marks: [WorkMark] { decoder.marks + [assigner.mark] + (trainer.map { [$0.mark] } ?? []) }
    /// What the thread that writes checkpoints is at; nil for a replica.
    package var writingMark: WorkMark? { writer?.mark }

    /// Waits, once the intake has been closed, until every image has been assigned, trained on or counted as left out,
    /// and the last checkpoint is written; returns at once where that has happened or nothing was started.
    package func drain() {
        decoder.join()
        assigner.stop()
        assigner.join()
        preparer.join()
        trainer?.stop()
        trainer?.join()
        writer?.stop()
        writer?.join()
    }

    /// Whether the last checkpoint that was due could not be written.
    package var lastCheckpointFailed: Bool { writer?.hasFailed ?? false }
}
