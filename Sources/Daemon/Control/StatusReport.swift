// The daemon at a moment, as `status` tells it: plain values, put together by the service and written as JSON here.

import Journal
import StreamProtocol
import ZeroMQ

/// What `status` answers.
package struct StatusReport: Sendable {
    /// The queue of a configured source.
    package struct Queue: Sendable {
        var name: String
        var images: Int
        var bytes: Int
    }

    /// The program's version.
    var version: String
    /// Nanoseconds since 1970.
    var time: Int64
    /// Seconds since the start.
    var uptime: Double
    /// What is wrong, in a word each.
    var problems: [String]
    /// What the daemon does.
    var mode: Configuration.Mode
    /// The daemon that a replica follows; nil in other modes.
    var replica: ReplicaStatus?
    /// The model that images are assigned with.
    var serving: ModelVersion
    /// The checkpoint that its weights descend from.
    var servingModel: String
    /// The assignments' epoch and last number.
    var numbering: (epoch: String, last: UInt64)
    /// Images assigned, and a second of late.
    var assigned: (images: UInt64, perSecond: Double)
    /// How learning goes.
    var learning: LearningStatus.State
    /// Whether training is paused.
    var isPaused: Bool
    /// Images trained on, and a second of late.
    var trained: (images: UInt64, perSecond: Double)
    /// Steps in this run.
    var steps: UInt64
    /// How many decoded images wait.
    var waiting: (assigning: Int, training: Int)
    /// How images spread over the clusters.
    var usage: ClusterUsage.Snapshot
    /// The newest checkpoint.
    var checkpoint: CheckpointLedger.Entry?
    /// How the present label epoch began, where it did in this run.
    var relabeling: RelabelingMessage?
    /// What is in the journal, and how it fares.
    var journal: JournalStatus
    /// The sources' queues, in the order of the configuration.
    var queues: [Queue]
    /// How each sender is doing.
    var senders: [SourceHealth]
    /// Who came to an endpoint and did not get in, by endpoint and reason.
    var failedHandshakes: [String: [HandshakeFailure: UInt64]]

    /// The answer's members.
    var members: [String: JSON] {
        [
            "version": .string(version),
            "t": JSON(time),
            "uptime": JSON((uptime * 1000).rounded() / 1000),
            "health": .object([
                "ok": .bool(problems.isEmpty), "problems": .array(problems.map { .string($0) }),
            ]),
            "mode": .string(mode.rawValue),
            "replica": replica?.json(serving: serving) ?? .null,
            "model": replica?.hasModel == false ? .null : model,
            "assigning": .object([
                "epoch": .string(numbering.epoch), "seq": JSON(numbering.last), "images": JSON(assigned.images),
                "images_per_second": JSON(assigned.perSecond), "waiting": JSON(waiting.assigning),
            ]),
            "training": replica == nil ? training : .null,
            "clusters": usage.json,
            "checkpoint": checkpoint?.json ?? .null,
            "journal": journal.json,
            "queues": .array(queues.map(\.json)),
            "sources": .object(Dictionary(uniqueKeysWithValues: senders.map { ($0.name, $0.json) })),
            "failed_handshakes": .object(failedHandshakes.mapValues(\.json)),
        ]
    }

    private var model: JSON {
        .object([
            "id": .string(servingModel), "step": JSON(serving.step), "label_epoch": JSON(serving.labelEpoch),
            "relabeling": relabeling.map { .object($0.members) } ?? .null,
        ])
    }

    private var training: JSON {
        .object([
            "paused": .bool(isPaused), "step": JSON(learning.version.step), "steps": JSON(steps),
            "images": JSON(trained.images), "images_per_second": JSON(trained.perSecond),
            "waiting": JSON(waiting.training), "loss": learning.losses?.json ?? .null,
            "step_seconds": learning.stepSeconds.map { JSON($0) } ?? .null,
            "skipped_steps": JSON(learning.skippedSteps), "restorations": JSON(learning.restorations),
        ])
    }
}
