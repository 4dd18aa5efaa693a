// Another model in the place of the one that serves, while images keep coming.
//
// Everything that can be wrong with it is looked for first, on this thread and with a learner of its own; only then does the
// trainer take it in between two steps and hand it to the assigner, which takes it in between two batches. Nobody who sends
// an image waits for any of this. Cluster numbers begin a new label epoch, with a map from the old ones.

import Checkpoints
import ContrastiveClustering
import Logging
import StreamProtocol
import Synchronization

/// Reloads checkpoints and goes back; one call at a time.
final class ModelSwitch: Sendable {
    /// What a switch came to.
    struct Outcome: Sendable {
        /// The model that serves now.
        var version: ModelVersion
        /// What becomes of cluster numbers.
        var relabeling: RelabelingMessage
        /// Why there is no checkpoint of it yet; nil where there is one.
        var saveFailure: String?
    }

    private let store: CheckpointStore
    private let model: CheckpointModel
    private let pipeline: Pipeline
    private let probe: ProbeSet
    private let makeLearner: @Sendable (LearnerRole) throws -> LearnerHandover
    private let counters: ServiceCounters
    private let logger: Logger
    /// The model before the last switch.
    private let previous = Mutex<LearnerState?>(nil)

    init(
        store: CheckpointStore, model: CheckpointModel, pipeline: Pipeline, probe: ProbeSet, counters: ServiceCounters,
        logger: Logger,
        makeLearner: @escaping @Sendable (LearnerRole) throws -> LearnerHandover
    ) {
        self.store = store
        self.model = model
        self.pipeline = pipeline
        self.probe = probe
        self.counters = counters
        self.logger = logger
        self.makeLearner = makeLearner
    }

    /// Takes in a checkpoint of the store.
    ///
    /// - Throws: `ControlFailure`, and then nothing has changed.
    func reload(id: String) throws(ControlFailure) -> Outcome {
        try counters.counting("reload") { () throws(ControlFailure) in
            try reload(id) { (limit) throws(CheckpointError) in try store.load(id: id, maximumBytes: limit) }
        }
    }

    /// Takes in the checkpoint at `path`, which may have any name.
    ///
    /// - Throws: `ControlFailure`, and then nothing has changed.
    func reload(path: String) throws(ControlFailure) -> Outcome {
        try counters.counting("reload") { () throws(ControlFailure) in
            try reload(path) { (limit) throws(CheckpointError) in try Checkpoint(path: path, maximumBytes: limit) }
        }
    }

    /// Takes in the model before the last reload or rollback, as it was when it was left.
    ///
    /// - Throws: `ControlFailure`, and then nothing has changed.
    func rollback() throws(ControlFailure) -> Outcome {
        try counters.counting("rollback") { () throws(ControlFailure) in
            guard let state = previous.withLock({ $0 }) else {
                throw ControlFailure(.refused, "there is no model to go back to: none has been reloaded in this run")
            }
            return try take(state, from: "the model before", learner: try probingLearner(), isTrusted: true)
        }
    }

    private func reload(
        _ name: String, _ load: (_ maximumBytes: Int) throws(CheckpointError) -> Checkpoint
    ) throws(ControlFailure) -> Outcome {
        let learner = try probingLearner()
        // Weights and two moments of each, and room for what may come with them.
        let limit = 4 * 4 * learner.snapshot().values.count + (64 << 20)
        let checkpoint: Checkpoint
        do throws(CheckpointError) {
            checkpoint = try load(limit)
        } catch {
            throw ControlFailure(error.isMissingFile ? .notFound : .refused, error.description)
        }
        guard checkpoint.model.fits(model) else {
            throw ControlFailure(.refused, "\(name) is of \(checkpoint.model), this daemon's model is \(model)")
        }
        return try take(checkpoint.state, from: name, learner: learner, isTrusted: false)
    }

    private func probingLearner() throws(ControlFailure) -> any Learner {
        do {
            return try makeLearner(.probing).learner
        } catch {
            throw ControlFailure(.failed, "a model cannot be tried: \(error)")
        }
    }

    private func take(
        _ state: LearnerState, from name: String, learner: any Learner, isTrusted: Bool
    ) throws(ControlFailure) -> Outcome {
        do {
            let relabeling = try examine(state, name, learner, isTrusted: isTrusted)
            let replaced = try pipeline.trainer.replace(with: Replacement(state: state, relabeling: relabeling))
            previous.withLock { $0 = replaced.before }
            _ = pipeline.serving.wait(labelEpoch: UInt64(relabeling.labelEpoch))
            logger.notice(
                "another model serves",
                metadata: [
                    "from": "\(name)", "model": "\(relabeling.model)", "step": "\(state.step)",
                    "label_epoch": "\(relabeling.labelEpoch)",
                ])
            var saveFailure: String?
            do throws(TrainerRefusal) { try replaced.written.wait() } catch { saveFailure = error.description }
            return Outcome(
                version: ModelVersion(step: state.step, labelEpoch: UInt64(relabeling.labelEpoch)),
                relabeling: relabeling, saveFailure: saveFailure)
        } catch {
            let failure = error as? ControlFailure ?? ControlFailure(.refused, "\(name) is not taken: \(error)")
            logger.warning("a model was not taken", metadata: ["from": "\(name)", "reason": "\(failure.message)"])
            throw failure
        }
    }

    /// Tries a model, and finds what becomes of cluster numbers.
    private func examine(
        _ state: LearnerState, _ name: String, _ learner: any Learner, isTrusted: Bool
    ) throws -> RelabelingMessage {
        let canary = Canary(remembered: probe.pictures, side: model.imageSize)
        // First, so that a model that does not fit is refused without waiting for a training step.
        try learner.importState(state)
        let candidate = learner.assign(canary.pictures, embedding: .none)
        learner.adopt(try pipeline.trainer.snapshot())
        let serving = learner.assign(canary.pictures, embedding: .none)
        if !isTrusted, let objection = canary.objection(to: candidate, serving: serving) {
            throw ControlFailure(.refused, "\(name) is not taken: \(objection)")
        }
        let correspondence = ClusterCorrespondence(
            from: serving.prefix(canary.remembered).map(\.cluster),
            to: candidate.prefix(canary.remembered).map(\.cluster), clusters: model.clusters)
        let current = pipeline.learning.current.version.labelEpoch
        // No file in the folder has the new epoch, also where a damaged one was passed over at the start.
        let next = max(current, (try? store.highestLabelEpoch()) ?? 0) + 1
        return RelabelingMessage(
            labelEpoch: Int(clamping: next), previousLabelEpoch: Int(clamping: current),
            model: CheckpointRecord.id(step: state.step, labelEpoch: next), map: correspondence.map,
            agreement: correspondence.agreement, images: correspondence.images, published: wallClockNanoseconds())
    }
}
