// How a replica fares with the daemon that it follows, for those who ask.

import StreamProtocol

/// What a replica knows of its trainer.
package struct ReplicaStatus: Sendable {
    /// Something that has been announced and does not serve.
    package struct Failure: Sendable {
        /// The checkpoint; empty where it did not come to one.
        var id: String
        /// Why not.
        var reason: String
        /// Whether the checkpoint itself is to blame, so that it is not tried again.
        var isRefusal: Bool
        /// When, in nanoseconds since 1970.
        var time: Int64
    }

    /// How long a trainer may say nothing; it gives a sign of life each second.
    static let patience = 10.0

    /// The trainer's publisher.
    var publisher: String
    /// The trainer's control endpoint.
    var control: String
    /// Whether a model serves.
    var hasModel: Bool
    /// When the trainer was last heard, nil before the first time.
    var heard: (moment: MonotonicTime, time: Int64)?
    /// The checkpoint last announced.
    var announced: CheckpointMessage?
    /// How far a fetch is that is under way.
    var fetching: (bytes: Int, total: Int)?
    /// What went wrong last, since the last model that was taken.
    var failure: Failure?
    /// Models taken in this run.
    var taken: UInt64 = 0
    /// Checkpoints refused in this run.
    var refused: UInt64 = 0

    init(publisher: String, control: String, hasModel: Bool) {
        self.publisher = publisher
        self.control = control
        self.hasModel = hasModel
    }

    /// Whether the trainer has not been heard of late.
    var isSilent: Bool { heard.map { MonotonicTime.now.seconds(since: $0.moment) >= Self.patience } ?? true }

    /// What is wrong, in a word each.
    var problems: [String] {
        let problems = [
            "no-model": !hasModel, "trainer-silent": isSilent, "checkpoint-refused": failure?.isRefusal ?? false,
        ]
        return problems.filter(\.value).map(\.key)
    }

    /// The status as `status` tells it.
    func json(serving: ModelVersion) -> JSON {
        var lag: JSON = .null
        if let announced, hasModel, UInt64(clamping: announced.labelEpoch) == serving.labelEpoch {
            lag = JSON(Int(clamping: announced.step) - Int(clamping: serving.step))
        }
        return .object([
            "subscribe": .string(publisher), "control": .string(control), "silent": .bool(isSilent),
            "last_heard": heard.map { JSON($0.time) } ?? .null,
            "announced": announced.map {
                .object([
                    "id": .string($0.id), "step": JSON($0.step), "label_epoch": JSON($0.labelEpoch),
                    "t": JSON($0.written),
                ])
            } ?? .null,
            "lag_steps": lag,
            "fetching": fetching.map { .object(["bytes": JSON($0.bytes), "of": JSON($0.total)]) } ?? .null,
            "failure": failure.map {
                .object([
                    "id": .string($0.id), "reason": .string($0.reason), "refused": .bool($0.isRefusal),
                    "t": JSON($0.time),
                ])
            } ?? .null,
            "taken": JSON(taken), "refused": JSON(refused),
        ])
    }
}
