// `reload` and `rollback`: another model, or the one before.

import StreamProtocol

extension ControlOperation {
    /// Takes in a checkpoint by its `id` in the store or by its `path`, and answers once it serves or has been refused.
    static func reload(_ models: ModelSwitch) -> Self {
        Self("reload", lane: .model) { (request) throws(ControlFailure) in
            let id = try request.optional("id", "a string", \.text)
            let path = try request.optional("path", "a string", \.text)
            switch (id, path) {
            case (let id?, nil): return reply(try models.reload(id: id))
            case (nil, let path?): return reply(try models.reload(path: path))
            default: throw ControlFailure(.invalidArgument, "a reload has either an id or a path")
            }
        }
    }

    /// Takes in the model before the last reload or rollback.
    static func rollback(_ models: ModelSwitch) -> Self {
        Self("rollback", lane: .model) { (_) throws(ControlFailure) in reply(try models.rollback()) }
    }

    private static func reply(_ outcome: ModelSwitch.Outcome) -> ControlReply {
        ControlReply([
            "model": .object([
                "id": .string(outcome.relabeling.model), "step": JSON(outcome.version.step),
                "label_epoch": JSON(outcome.version.labelEpoch),
            ]),
            "relabeling": .object(outcome.relabeling.members), "saved": .bool(outcome.saveFailure == nil),
            "save_failure": JSON(outcome.saveFailure),
        ])
    }
}
