// Where the values of `status` come from.

import Journal

extension StatusReport {
    /// The state of a running service.
    init(
        gateway: Gateway, pipeline: Pipeline, journal: Journal, sources: [SourceSettings], started: MonotonicTime
    ) {
        let (counters, numbering) = (pipeline.counters, pipeline.numbering)
        self.init(
            version: clusterdVersion, time: wallClockNanoseconds(), uptime: MonotonicTime.now.seconds(since: started),
            numbering: (numbering.epoch, numbering.last),
            assigned: (counters.assigned, counters.assignedRate.perSecond()),
            trained: (counters.trained, counters.trainedRate.perSecond()), steps: counters.steps,
            journal: journal.status,
            queues: zip(sources, gateway.queues.depths).map {
                Queue(name: $0.name, images: $1.images, bytes: $1.bytes)
            },
            senders: gateway.statistics.snapshot)
    }
}
