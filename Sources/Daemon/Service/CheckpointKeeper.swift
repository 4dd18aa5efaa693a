// The checkpoint store as the pipeline sees it: states in, the last good one back, and everybody told.

import Checkpoints
import ContrastiveClustering
import Logging

/// Writes checkpoints and finds them again; used from several threads.
struct CheckpointKeeper: Sendable {
    let store: CheckpointStore
    let model: CheckpointModel
    /// What the learner is trained under.
    let settings: @Sendable () -> String
    let ledger: CheckpointLedger
    let output: StreamOutput
    let agreement: LabelAgreement
    let churn: ChurnMeter
    let counters: ServiceCounters
    let logger: Logger

    /// Finds the checkpoint to go on from, and names those that are damaged.
    ///
    /// - Throws: `CheckpointError` where the folder holds another model's checkpoints or cannot be read.
    static func resume(
        from store: CheckpointStore, model: CheckpointModel, logger: Logger
    ) throws(CheckpointError) -> Checkpoint? {
        let resumption = try store.newest(for: model)
        for error in resumption.skipped { logger.warning("a damaged checkpoint is passed over: \(error)") }
        if let checkpoint = resumption.checkpoint {
            logger.info(
                "resuming", metadata: ["checkpoint": "\(checkpoint.record.path)", "step": "\(checkpoint.state.step)"])
        } else {
            logger.info("starting afresh", metadata: ["directory": "\(store.directory)"])
        }
        return resumption.checkpoint
    }

    /// Writes a state and announces it.
    ///
    /// - Throws: `CheckpointError`, which has been logged.
    func write(_ state: LearnerState, labelEpoch: UInt64) throws(CheckpointError) {
        let started = MonotonicTime.now
        do throws(CheckpointError) {
            let record = try store.write(
                state, model: model, labelEpoch: labelEpoch, relabeling: ledger.relabeling(of: labelEpoch)?.body,
                configuration: settings())
            counters.checkpointDuration.record(MonotonicTime.now.seconds(since: started))
            counters.checkpoints.add(1, ServiceCounters.succeeded)
            ledger.add(record, churn: churn.measure(state, labelEpoch: labelEpoch))
            output.announceCheckpoint()
            logger.info(
                "wrote a checkpoint",
                metadata: [
                    "id": "\(record.id)", "bytes": "\(record.bytes)",
                    "milliseconds": "\(Int(MonotonicTime.now.seconds(since: started) * 1000))",
                ])
            logger.agreement("since the last checkpoint", agreement.takeRecent())
        } catch {
            counters.checkpoints.add(1, ServiceCounters.failed)
            logger.error("\(error)")
            throw error
        }
    }

    /// The newest state of a label epoch that training can go back to; those of others have other clusters.
    func lastGood(labelEpoch: UInt64) -> LearnerState? {
        do {
            let checkpoint = try store.newest(for: model).checkpoint
            return checkpoint?.labelEpoch == labelEpoch ? checkpoint?.state : nil
        } catch {
            logger.error("\(error)")
            return nil
        }
    }
}

extension Logger {
    /// Says how well clusters agree with the labels that senders gave; nothing where none did.
    func agreement(_ period: String, _ table: ContingencyTable) {
        guard let scores = ClusteringScores(table) else { return }
        func rounded(_ score: Double) -> String { "\((score * 1000).rounded() / 1000)" }
        info(
            "agreement with labels",
            metadata: [
                "period": "\(period)", "images": "\(scores.images)",
                "nmi": "\(rounded(scores.normalizedMutualInformation))", "acc": "\(rounded(scores.accuracy))",
                "ari": "\(rounded(scores.adjustedRandIndex))",
            ])
    }
}
