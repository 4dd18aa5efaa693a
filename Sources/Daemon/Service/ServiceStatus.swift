// Where the values of `status` come from.

import Journal

extension StatusReport {
    /// The state of a running service.
    init(
        gateway: Gateway, pipeline: Pipeline, ledger: CheckpointLedger, journal: Journal, replica: ReplicaStatus?,
        sources: [SourceSettings], started: MonotonicTime
    ) {
        let (counters, numbering, serving) = (
            pipeline.counters, pipeline.numbering.read { $0 }, pipeline.serving.version
        )
        let (usage, journal) = (pipeline.usage.snapshot, journal.status)
        let problems = [
            "collapsed": usage.isCollapsed, "checkpoint-failed": pipeline.lastCheckpointFailed,
            "journal-failed": journal.failure != nil,
        ]
        self.init(
            version: clusterdVersion, time: wallClockNanoseconds(), uptime: MonotonicTime.now.seconds(since: started),
            problems: (problems.filter(\.value).map(\.key) + (replica?.problems ?? [])).sorted(),
            mode: replica == nil ? .train : .replica, replica: replica, serving: serving,
            servingModel: ledger.model(at: serving),
            numbering: (numbering.epoch, numbering.last),
            assigned: (counters.assigned, counters.assignedRate.perSecond()), learning: pipeline.learning.current,
            isPaused: pipeline.isTrainingPaused, trained: (counters.trained, counters.trainedRate.perSecond()),
            steps: counters.steps, waiting: pipeline.waiting, usage: usage, checkpoint: ledger.newest,
            relabeling: ledger.relabeling, journal: journal,
            queues: zip(sources, gateway.queues.depths).map {
                Queue(name: $0.name, images: $1.images, bytes: $1.bytes)
            },
            senders: gateway.statistics.health(), failedHandshakes: gateway.handshakeFailures.counts.read { $0 })
    }
}
