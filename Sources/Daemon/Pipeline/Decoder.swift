// The workers that turn bytes into pixels, several at once, without changing the order of any queue's images.
//
// An image is taken with a place in the training buffer reserved for it. While there is none, the senders of blocking
// sources wait, and images of other sources go without training. Every image taken ends as an assignment or as a rejection.

import Imaging
import StreamProtocol
import Synchronization

/// Why an image cannot be read, in a word for machines, such as `truncated-jpeg`.
package struct UnreadableImage: Error, Sendable {
    /// The word.
    package let reason: String

    /// Creates an error.
    package init(reason: String) { self.reason = reason }
}

/// The decoding workers.
package final class Decoder: Sendable {
    /// What each thread is at.
    package let marks: [WorkMark]
    private let threads: [WorkerThread]

    /// Creates decoders that are not running yet.
    ///
    /// - Parameters:
    ///   - threads: how many.
    ///   - intake: where images come from; they end when it is closed and empty.
    ///   - sources: how many queues the intake has.
    ///   - decode: bytes to pixels.
    ///   - maximumTrainingBytes: bytes beyond which a picture kept for training is reduced.
    ///   - buffer: where pictures wait for training; nil where nothing is trained on.
    package init(
        threads: Int, intake: IngressQueues, sources: Int,
        decode: @escaping @Sendable (IncomingImage) throws(UnreadableImage) -> RGBImage,
        maximumTrainingBytes: Int, buffer: TrainingBuffer?, queue: AssignQueue, output: any PipelineOutput,
        counters: PipelineCounters
    ) {
        precondition(threads > 0)
        let line = DecodingLine(
            threads: threads, intake: intake, sources: sources, decode: decode,
            maximumTrainingBytes: maximumTrainingBytes,
            buffer: buffer, queue: queue, output: output, counters: counters)
        let marks = (0..<threads).map { _ in WorkMark("decoding") }
        self.marks = marks
        self.threads = (0..<threads).map { number in
            WorkerThread(name: "decoder-\(number)") { line.run(marks[number]) }
        }
    }

    /// Starts the workers; a second call does nothing.
    package func start() { threads.forEach { $0.start() } }

    /// Waits until the intake has ended and every image taken has been passed on.
    package func join() { threads.forEach { $0.join() } }
}

/// What the decoding threads share.
private final class DecodingLine: Sendable {
    /// What became of an image; `training` is the picture for the place reserved.
    private enum Outcome: Sendable {
        case decoded(DecodedImage, training: RGBImage?)
        case unreadable(IncomingImage, reason: String, hasTrainingRoom: Bool)
    }

    private let intake: IngressQueues
    private let decode: @Sendable (IncomingImage) throws(UnreadableImage) -> RGBImage
    private let maximumTrainingBytes: Int
    private let buffer: TrainingBuffer?
    private let queue: AssignQueue
    private let timings: PipelineTimings
    /// One gate a queue, so that a large picture of one source does not delay another's.
    private let gates: [Resequencer<Outcome>]
    /// Held while an image is taken, so that tickets are given in the order of taking.
    private let turn = Mutex(())

    init(
        threads: Int, intake: IngressQueues, sources: Int,
        decode: @escaping @Sendable (IncomingImage) throws(UnreadableImage) -> RGBImage,
        maximumTrainingBytes: Int, buffer: TrainingBuffer?, queue: AssignQueue, output: any PipelineOutput,
        counters: PipelineCounters
    ) {
        self.intake = intake
        self.decode = decode
        self.maximumTrainingBytes = maximumTrainingBytes
        self.buffer = buffer
        self.queue = queue
        timings = counters.timings
        gates = (0..<sources).map { _ in
            Resequencer(window: 2 * threads) { outcome in
                Self.pass(outcome, buffer: buffer, queue: queue, output: output, counters: counters)
            }
        }
    }

    func run(_ mark: WorkMark) {
        while let (taken, ticket) = take() {
            mark.begin()
            let outcome = outcome(taken)
            mark.end()
            gates[taken.source].complete(ticket, outcome)
        }
    }

    private func take() -> (TakenImage, ticket: UInt64)? {
        turn.withLock { _ in
            guard let taken = intake.take(trainingRoom: { buffer?.reserve() ?? false }) else { return nil }
            queue.expect()
            return (taken, gates[taken.source].ticket())
        }
    }

    private func outcome(_ taken: TakenImage) -> Outcome {
        let started = MonotonicTime.now
        defer { timings.decode.record(MonotonicTime.now.seconds(since: started)) }
        do throws(UnreadableImage) {
            let picture = try decode(taken.image)
            return .decoded(
                DecodedImage(origin: taken.image, picture: picture),
                training: taken.hasTrainingRoom ? picture.reduced(toBytes: maximumTrainingBytes) : nil)
        } catch {
            return .unreadable(taken.image, reason: error.reason, hasTrainingRoom: taken.hasTrainingRoom)
        }
    }

    private static func pass(
        _ outcome: Outcome, buffer: TrainingBuffer?, queue: AssignQueue, output: any PipelineOutput,
        counters: PipelineCounters
    ) {
        switch outcome {
        case .decoded(let image, let training):
            if let training {
                buffer?.fill(training)
            } else if let buffer {
                if buffer.isPaused { counters.countLeftOutPaused() } else { counters.countLeftOutBufferFull() }
            }
            queue.push(image)
        case .unreadable(let image, let reason, let hasTrainingRoom):
            if hasTrainingRoom { buffer?.release() }
            queue.abandon()
            output.reject(source: image.source, id: image.id, reason: reason)
        }
    }
}
