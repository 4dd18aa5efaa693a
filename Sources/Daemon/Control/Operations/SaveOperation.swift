// `save`: a checkpoint now.

import StreamProtocol

extension ControlOperation {
    /// Answers once a checkpoint of what has been learnt so far is on disk, with what there is to say of it.
    static func save(_ trainer: Trainer, ledger: CheckpointLedger) -> Self {
        Self("save", lane: .model) { (_) throws(ControlFailure) in
            do throws(TrainerRefusal) {
                try trainer.save()
            } catch {
                throw ControlFailure(.failed, error.description)
            }
            return ControlReply(["checkpoint": ledger.newest?.record.json ?? .null])
        }
    }
}
