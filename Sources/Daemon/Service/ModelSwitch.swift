// Another model in the place of the one that serves, while images keep coming.
//
// Everything that can be wrong with it is looked for first, on this thread and with a learner of its own; only then does the
// trainer go on with that learner, between two steps, and the assigner with its weights, between two batches. Nobody who
// sends an image waits for any of this. Cluster numbers begin a new label epoch, with a map from the old ones.

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
    private let trial: ModelTrial
    private let trainer: Trainer
    private let serving: ServingModel
    private let learning: LearningStatus
    private let ledger: CheckpointLedger
    private let counters: ServiceCounters
    private let logger: Logger
    /// The model before the last switch.
    private let previous = Mutex<LearnerState?>(nil)

    init(
        store: CheckpointStore, trial: ModelTrial, trainer: Trainer, serving: ServingModel, learning: LearningStatus,
        ledger: CheckpointLedger, counters: ServiceCounters, logger: Logger
    ) {
        self.store = store
        self.trial = trial
        self.trainer = trainer
        self.serving = serving
        self.learning = learning
        self.ledger = ledger
        self.counters = counters
        self.logger = logger
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
            return try take(
                state, from: "the model before", learner: try trial.learner(.training), isTrusted: true)
        }
    }

    private func reload(
        _ name: String, _ load: (_ maximumBytes: Int) throws(CheckpointError) -> Checkpoint
    ) throws(ControlFailure) -> Outcome {
        let checkpoint = try trial.checkpoint(name, load)
        // The learner will train with what it finds to be good.
        return try take(checkpoint.state, from: name, learner: try trial.learner(.training), isTrusted: false)
    }

    private func take(
        _ state: LearnerState, from name: String, learner: any Learner, isTrusted: Bool
    ) throws(ControlFailure) -> Outcome {
        do {
            let result = try trial.examine(
                state, name, learner, serving: { try trainer.snapshot() }, isTrusted: isTrusted)
            let relabeling = relabeling(result.correspondence, step: state.step)
            ledger.prepare(relabeling)
            let replaced = try trainer.replace(
                with: Replacement(
                    learner: LearnerHandover(learner), snapshot: learner.snapshot(), state: state,
                    relabeling: relabeling))
            _ = serving.wait { $0.labelEpoch >= UInt64(relabeling.labelEpoch) }
            previous.withLock { $0 = replaced.before.learner.exportState() }
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

    private func relabeling(_ correspondence: ClusterCorrespondence, step: UInt64) -> RelabelingMessage {
        let current = learning.current.version.labelEpoch
        // No file in the folder has the new epoch, also where a damaged one was passed over at the start.
        let next = max(current, (try? store.highestLabelEpoch()) ?? 0) + 1
        return RelabelingMessage(
            correspondence, from: current, to: next, model: CheckpointRecord.id(step: step, labelEpoch: next))
    }
}
