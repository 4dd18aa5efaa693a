// A whole pipeline on test doubles: queues in memory in front, lists behind.

import ContrastiveClustering
import Daemon
import Imaging
import Logging
import StreamProtocol
import XCTest

/// A pipeline with a `BrightnessLearner` on each side and queues without sockets.
final class PipelineHarness: Sendable {
    let queues: IngressQueues
    let output = MemoryOutput()
    let training = LearnerRecord()
    let assigning = LearnerRecord()
    let gate: Gate
    let log: Monitor<[String]>
    let checkpoints = Monitor([LearnerState]())
    let pipeline: Pipeline

    init(
        overloads: [SourceSettings.Overload] = [.block], batchSize: Int = 4, decoderThreads: Int = 2,
        maximumBatch: Int = 8,
        gateOpen: Bool = true, schedule: CheckpointSchedule = .init(everySteps: 1000, everySeconds: 1000),
        resume: LearnerState? = nil, brokenSteps: Set<UInt64> = [], lastGood: LearnerState? = nil,
        decode: @escaping @Sendable (IncomingImage) throws(UnreadableImage) -> RGBImage = decodeGrey,
        write: @escaping @Sendable (LearnerState) -> Bool = { _ in true }
    ) throws {
        let sources = overloads.enumerated().map { index, overload in
            SourceSettings(name: "source\(index)", endpoint: "inproc://\(index)", overload: overload)
        }
        let queues = IngressQueues(sources: sources, limits: QueueLimits(), largestImage: 1024)
        let gate = Gate(isOpen: gateOpen)
        let (logger, log) = MemoryLog.logger()
        let training = BrightnessLearner(record: training, gate: gate, brokenSteps: brokenSteps)
        let assigning = BrightnessLearner(record: assigning)
        if let resume {
            try training.importState(resume)
            try assigning.importState(resume)
        }
        self.queues = queues
        self.gate = gate
        self.log = log
        pipeline = Pipeline(
            settings: .init(
                decoderThreads: decoderThreads, maximumBatch: maximumBatch, maximumDelay: 0.02, embedding: .none,
                clusters: 4, batchSize: batchSize, maximumTrainingBytes: 1024, schedule: schedule),
            learners: .init(
                assigning: LearnerHandover(assigning), spare: LearnerHandover(BrightnessLearner()),
                version: ModelVersion(step: resume?.step ?? 0, labelEpoch: 0)),
            training: .init(
                learner: LearnerHandover(training),
                write: { [checkpoints] state, _ in
                    guard write(state) else { throw CocoaError(.fileWriteOutOfSpace) }
                    checkpoints.withLock { $0.append(state) }
                },
                lastGood: { _ in lastGood }),
            intake: queues, sources: sources.count, decode: decode, output: output,
            numbering: AssignmentNumbering(epoch: "test", last: 0), logger: logger)
    }

    func add(_ images: [IncomingImage], source: Int = 0) {
        for image in images { XCTAssertEqual(queues.offer(image, source: source).dropped.count, 0) }
    }

    /// Ends the input and waits until everything has come out.
    func finish() {
        queues.close()
        pipeline.drain()
    }

    var publishedIDs: [String] { output.published.compactMap(\.origin.id) }

    /// The images trained on, mini-batch by mini-batch, by their first pixel.
    var trainedBatches: [[UInt8]] { training.trained.map(\.batch) }
}

/// Images with the grey values of `range` and ids of the same numbers.
func images(_ range: Range<Int>, source: String = "cam") -> [IncomingImage] {
    range.map { grey(UInt8($0), source: source, id: String($0)) }
}
