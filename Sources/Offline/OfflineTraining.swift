// Training on a fixed collection, the paper's way: epochs over shuffled images, mini-batches of the full size.
//
// Where a run stands follows from its step alone: the order of an epoch is drawn from the seed and the epoch's number, so a
// run that is resumed sees the same mini-batches as one that never stopped. The images beyond the last full mini-batch
// of an epoch are left out of it; every epoch leaves out others.

import Checkpoints
import ContrastiveClustering
import Datasets
import Tensors

/// A run over a collection.
package final class OfflineTraining {
    /// What happens in a run.
    package enum Event {
        /// A damaged checkpoint was passed over.
        case skipped(CheckpointError)
        /// The run goes on from a checkpoint.
        case resumed(CheckpointRecord)
        /// A step was taken.
        case step(Progress)
        /// An epoch was completed; the report is there where it was evaluated.
        case epoch(Progress, EvaluationReport?)
        /// An evaluation goes on.
        case evaluating(done: Int, of: Int)
        /// A checkpoint was written.
        case checkpoint(CheckpointRecord)
        /// An image is left out; told once an image.
        case unreadable(ImageBatches.Failure)
        /// The losses of a step were not finite, and nothing was learnt from it.
        case brokenStep(UInt64)
    }

    /// Where a run stands.
    package struct Progress: Sendable, Equatable {
        /// Steps that were taken, those before a resumption among them.
        package var step: UInt64 = 0
        /// The epoch under way, from 1.
        package var epoch = 1
        /// Steps of this epoch that were taken.
        package var stepInEpoch = 0
        /// Steps that an epoch has.
        package var stepsPerEpoch = 0
        /// The last step's losses.
        package var losses = Losses(instance: 0, cluster: 0, entropy: 0)
        /// The epoch's mean losses so far.
        package var meanLosses = Losses(instance: 0, cluster: 0, entropy: 0)
        /// Images a second, of the steps of this epoch that this process took.
        package var imagesPerSecond = 0.0

        /// Creates the beginning of a run.
        package init() {}
    }

    /// How a run ended.
    package enum Outcome: Sendable, Equatable {
        /// All epochs are done.
        case completed
        /// It was asked to stop.
        case stopped
    }

    private static let toleratedBrokenSteps = 3

    private let settings: OfflineSettings
    private let batches: ImageBatches
    private let learner: CPULearner
    private let store: CheckpointStore
    private let observe: (Event) -> Void
    private let shouldStop: () -> Bool

    private let batchSize: Int
    private let stepsPerEpoch: Int
    private var step: UInt64 = 0
    private var saved: (step: UInt64, at: ContinuousClock.Instant)
    private var brokenSteps = 0
    private var reported: Set<String> = []

    /// Prepares a run, resumed from the newest checkpoint of `store` where there is one.
    ///
    /// - Parameters:
    ///   - observe: is told what happens.
    ///   - shouldStop: is asked between steps whether to write a checkpoint and end.
    /// - Throws: `OfflineError`, or `CheckpointError` where the store's checkpoints are of another model.
    package init(
        _ settings: OfflineSettings, on collection: ImageCollection, store: CheckpointStore, threads: Int = 0,
        observe: @escaping (Event) -> Void = { _ in }, shouldStop: @escaping () -> Bool = { false }
    ) throws {
        guard collection.count >= 2 else { throw OfflineError.tooFewImages(collection.count) }
        self.settings = settings
        self.store = store
        self.observe = observe
        self.shouldStop = shouldStop
        batchSize = min(settings.training.batchSize, collection.count)
        stepsPerEpoch = collection.count / batchSize
        batches = ImageBatches(collection, imageSize: settings.model.imageSize, threads: threads)
        learner = CPULearner(model: settings.model, training: settings.training, threads: threads)
        saved = (0, .now)
        try resume()
    }

    private func resume() throws {
        let found = try store.newest(for: settings.checkpointModel, shapes: learner.requiredTensors)
        found.skipped.forEach { observe(.skipped($0)) }
        guard let checkpoint = found.checkpoint else { return }
        let differences = settings.differences(from: checkpoint.configuration)
        guard differences.isEmpty else {
            throw OfflineError.otherSettings(directory: store.directory, differences: differences)
        }
        try learner.importState(checkpoint.state)
        step = checkpoint.state.step
        saved.step = step
        observe(.resumed(checkpoint.record))
    }

    /// Trains until all epochs are done or it is asked to stop, and leaves a checkpoint.
    package func run() throws -> Outcome {
        let steps = UInt64(stepsPerEpoch)
        for epoch in Int(step / steps)..<max(settings.epochs, Int(step / steps)) {
            guard try train(epoch: epoch, from: Int(step % steps)) else {
                try save()
                return .stopped
            }
        }
        try save()
        return .completed
    }

    /// Assigns every image with the model as it is; nil where it was asked to stop.
    package func evaluate() -> EvaluationReport? {
        EvaluationReport(
            learner, clusters: settings.model.clusters, on: batches, onFailure: report,
            onProgress: { done in
                observe(.evaluating(done: done, of: batches.collection.count))
                return !shouldStop()
            })
    }

    /// Trains the steps of an epoch from `first` on; returns whether it got to the end.
    private func train(epoch: Int, from first: Int) throws -> Bool {
        var progress = Progress()
        progress.step = step
        progress.epoch = epoch + 1
        progress.stepInEpoch = first
        progress.stepsPerEpoch = stepsPerEpoch
        var sums = Losses(instance: 0, cluster: 0, entropy: 0)
        var (trained, images, duration) = (Float(0), 0, Duration.zero)
        let order = order(of: epoch)
        func indices(_ position: Int) -> ArraySlice<Int> {
            order[min(position, stepsPerEpoch) * batchSize..<min(position + 1, stepsPerEpoch) * batchSize]
        }
        // Beside the step over one mini-batch the views of the next are made and the one after that is decoded.
        var start = ContinuousClock.now
        var next = batches.load(indices(first))
        batches.begin(indices(first + 1))
        defer { _ = batches.finish() }
        for position in first..<stepsPerEpoch {
            if shouldStop() { return false }
            let loaded = next
            next = batches.finish()
            batches.begin(indices(position + 2))
            loaded.failures.forEach(report)
            progress.stepInEpoch = position + 1
            guard loaded.images.count >= 2 else { continue }
            let result = learner.train(loaded.images.map(\.image), next: next.images.map(\.image))
            guard try isFinite(result) else { continue }
            duration += .now - start
            images += loaded.images.count
            trained += 1

            step = result.step
            sums = sums + result.losses
            progress.step = step
            progress.losses = result.losses
            progress.meanLosses = sums / trained
            progress.imagesPerSecond = Double(images) / max(duration / .seconds(1), 1e-9)
            observe(.step(progress))
            try saveIfDue()
            start = .now
        }
        let isLast = epoch + 1 == settings.epochs
        let isDue = settings.evaluateEvery > 0 && (epoch + 1) % settings.evaluateEvery == 0
        observe(.epoch(progress, isLast || isDue ? evaluate() : nil))
        return true
    }

    /// The images of an epoch in the order in which they are seen (Fisher and Yates; Durstenfeld 1964).
    private func order(of epoch: Int) -> [Int] {
        // No step has this many images, so these draws are those of no view.
        var random = RandomSource(seed: settings.training.seed, stream: UInt64(epoch), .max - 1)
        return Array(0..<batches.collection.count).shuffled(using: &random)
    }

    private func isFinite(_ result: StepReport) throws -> Bool {
        if result.losses.total.isFinite {
            brokenSteps = 0
            return true
        }
        brokenSteps += 1
        observe(.brokenStep(result.step))
        if brokenSteps >= Self.toleratedBrokenSteps { throw OfflineError.diverged(step: step) }
        return false
    }

    private func report(_ failure: ImageBatches.Failure) {
        if reported.insert(failure.id).inserted { observe(.unreadable(failure)) }
    }

    private func saveIfDue() throws {
        let waited = (ContinuousClock.now - saved.at) / .seconds(1)
        if step - saved.step >= settings.checkpointSteps || waited >= settings.checkpointSeconds { try save() }
    }

    private func save() throws {
        guard step > saved.step else { return }
        let record = try store.write(
            learner.exportState(), model: settings.checkpointModel, configuration: settings.configuration)
        saved = (step, .now)
        observe(.checkpoint(record))
    }
}

extension Losses {
    fileprivate static func + (a: Losses, b: Losses) -> Losses {
        Losses(instance: a.instance + b.instance, cluster: a.cluster + b.cluster, entropy: a.entropy + b.entropy)
    }

    fileprivate static func / (a: Losses, count: Float) -> Losses {
        Losses(instance: a.instance / count, cluster: a.cluster / count, entropy: a.entropy / count)
    }
}
