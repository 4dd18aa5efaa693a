// `checkpoints`: what there is to fetch and to reload.

import Checkpoints
import StreamProtocol

extension ControlOperation {
    /// Answers with the checkpoints of `store`, newest first.
    static func checkpoints(in store: CheckpointStore) -> Self {
        Self("checkpoints", lane: .reading) { (_) throws(ControlFailure) in
            do throws(CheckpointError) {
                return ControlReply(["checkpoints": .array(try store.records().map(\.json))])
            } catch {
                throw ControlFailure(.failed, error.description)
            }
        }
    }
}

extension CheckpointRecord {
    /// The checkpoint as control answers describe it.
    var json: JSON {
        .object([
            "id": .string(id), "step": JSON(step), "label_epoch": JSON(labelEpoch), "bytes": JSON(bytes),
            "sha256": .string(sha256), "t": JSON(time),
        ])
    }
}
