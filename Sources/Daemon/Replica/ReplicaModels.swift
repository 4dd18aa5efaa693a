// A trainer's checkpoints on their way to serving: each is tried first, as a reload is, and what is found wanting changes
// nothing. Only what has been found good gets into the folder that a restart goes on from.
//
// Cluster numbers are the trainer's, and so are label epochs: a map from old to new numbers is passed on where the
// checkpoint has one, and made where this replica has missed the label epoch in between.

import Checkpoints
import ContrastiveClustering
import Logging
import StreamProtocol
import Synchronization

/// Takes checkpoints in; one call at a time.
final class ReplicaModels: Sendable {
    private struct Serving: Sendable {
        var snapshot: WeightSnapshot
        var version: ModelVersion
        var sha256: String
    }

    private let store: CheckpointStore
    private let trial: ModelTrial
    private let pipeline: Pipeline
    private let ledger: CheckpointLedger
    private let logger: Logger
    /// The model that serves; nil before the first.
    private let current: Mutex<Serving?>

    /// Creates it.
    ///
    /// - Parameter resumed: the checkpoint that serves already, with its weights.
    init(
        store: CheckpointStore, trial: ModelTrial, pipeline: Pipeline, ledger: CheckpointLedger,
        resumed: (checkpoint: Checkpoint, snapshot: WeightSnapshot)?, logger: Logger
    ) {
        self.store = store
        self.trial = trial
        self.pipeline = pipeline
        self.ledger = ledger
        self.logger = logger
        current = Mutex(
            resumed.map { checkpoint, snapshot in
                Serving(
                    snapshot: snapshot,
                    version: ModelVersion(step: checkpoint.state.step, labelEpoch: checkpoint.labelEpoch),
                    sha256: checkpoint.record.sha256)
            })
    }

    /// The SHA-256 of the checkpoint that serves; nil where none does.
    var sha256: String? { current.withLock { $0?.sha256 } }

    /// The bytes that a checkpoint of the model has at most.
    var largestCheckpoint: Int { trial.largestCheckpoint }

    /// Tries the file at `path`, which must be what was announced, and has it serve.
    ///
    /// - Returns: once it serves.
    /// - Throws: `ControlFailure`, and then nothing has changed.
    func take(_ path: String, announced: CheckpointMessage) throws(ControlFailure) {
        let checkpoint = try trial.checkpoint(announced.id) { (limit) throws(CheckpointError) in
            try Checkpoint(path: path, maximumBytes: limit)
        }
        guard checkpoint.record.sha256 == announced.sha256, checkpoint.record.id == announced.id else {
            throw ControlFailure(.refused, "\(announced.id) is not taken: the file is of \(checkpoint.record.id)")
        }
        let before = current.withLock { $0 }
        let learner = try trial.learner(.probing)
        do {
            let result = try trial.examine(
                checkpoint.state, announced.id, learner, serving: { before?.snapshot })
            try serve(checkpoint, weights: learner.snapshot(), after: before, result)
        } catch {
            throw error as? ControlFailure ?? ControlFailure(.refused, "\(announced.id) is not taken: \(error)")
        }
    }

    private func serve(
        _ checkpoint: Checkpoint, weights: WeightSnapshot, after before: Serving?, _ result: ModelTrial.Result
    ) throws(CheckpointError) {
        let record = try store.add(checkpoint)
        let version = ModelVersion(step: checkpoint.state.step, labelEpoch: checkpoint.labelEpoch)
        let isSameEpoch = before?.version.labelEpoch == version.labelEpoch
        let churn =
            isSameEpoch && result.before.count >= ChurnMeter.evidence
            ? Churn(from: result.before, to: result.after) : nil
        ledger.add(record, churn: churn)
        let relabeling = isSameEpoch ? nil : relabeling(checkpoint, after: before, result)
        pipeline.offer(
            ModelUpdate(weights, labelEpoch: version.labelEpoch, relabelings: relabeling.map { [$0] } ?? []))
        _ = pipeline.serving.wait { $0 == version }
        current.withLock { $0 = Serving(snapshot: weights, version: version, sha256: record.sha256) }
        logger.notice(
            "another model serves",
            metadata: [
                "model": "\(record.id)", "step": "\(version.step)", "label_epoch": "\(version.labelEpoch)",
            ])
    }

    /// What is said of cluster numbers when a label epoch begins; nil where nothing is known and nothing served before.
    private func relabeling(
        _ checkpoint: Checkpoint, after before: Serving?, _ result: ModelTrial.Result
    ) -> RelabelingMessage? {
        let trainers = checkpoint.relabeling.flatMap(RelabelingMessage.init(body:)).flatMap {
            $0.labelEpoch == Int(clamping: checkpoint.labelEpoch) ? $0 : nil
        }
        guard let before else { return trainers }
        if let trainers, trainers.previousLabelEpoch == Int(clamping: before.version.labelEpoch) { return trainers }
        return RelabelingMessage(
            result.correspondence, from: before.version.labelEpoch, to: checkpoint.labelEpoch,
            model: checkpoint.record.id)
    }
}
