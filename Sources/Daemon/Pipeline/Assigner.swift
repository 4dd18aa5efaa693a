// The worker that answers: a cluster for every image, at once, however long a training step takes.
//
// It has a learner of its own, and between two batches exchanges it for one that has taken newer weights in. It alone numbers
// assignments, in the order in which it publishes them, so there is no hole in the numbers.

import ContrastiveClustering
import Glibc
import Imaging
import StreamProtocol

/// The assigning worker.
package final class Assigner: Sendable {
    /// What its thread is at.
    package let mark = WorkMark("assigning")
    private let thread: WorkerThread
    private let isWarm = Monitor(false)
    private let queue: AssignQueue

    /// Creates an assigner that is not running yet.
    ///
    /// - Parameters:
    ///   - learner: the learner to assign with, its weights those of `version`.
    ///   - queue: where images and weights come from; closing it ends the assigner.
    ///   - embedding: the embedding to publish with each assignment.
    ///   - warmUpSide: the side of the pictures that it assigns for nobody before the first, so that weights are prepared and
    ///     threads and memory there; nil for none.
    ///   - observer: looks on.
    package init(
        learner: LearnerHandover, version: ModelVersion, queue: AssignQueue, embedding: EmbeddingKind,
        output: any PipelineOutput, numbering: Monitor<AssignmentNumbering>, agreement: LabelAgreement,
        usage: ClusterUsage,
        serving: ServingModel, counters: PipelineCounters, warmUpSide: Int? = nil,
        observer: (any PipelineObserver)? = nil
    ) {
        self.queue = queue
        thread = WorkerThread(name: "assigner", stackSize: 16 << 20) { [mark, isWarm] in
            var learner = learner
            var version = version
            mark.begin()
            defer { mark.end() }
            if let side = warmUpSide {
                let picture = RGBImage(width: side, height: side, pixels: Array(repeating: 128, count: 3 * side * side))
                _ = learner.learner.assign(Array(repeating: picture, count: 8), embedding: embedding)
            }
            isWarm.withLock { $0 = true }
            while let work = mark.idle({ queue.next() }) {
                if let update = work.update {
                    queue.giveBack(learner)
                    learner = update.learner
                    version = update.version
                    for relabeling in update.relabelings { output.publish(relabeling) }
                    if !update.relabelings.isEmpty {
                        agreement.restart()
                        usage.restart()
                        observer?.relabeled()
                    }
                    serving.adopted(version)
                }
                guard !work.images.isEmpty else { continue }
                let observed = embedding == .none && observer != nil ? EmbeddingKind.feature : embedding
                let started = MonotonicTime.now
                let assignments = learner.learner.assign(work.images.map(\.picture), embedding: observed)
                counters.timings.batch.record(MonotonicTime.now.seconds(since: started))
                counters.timings.batchImages.record(Double(assignments.count))
                let (before, published) = (numbering.read { $0 }, wallClockNanoseconds())
                let numbered = output.publish(
                    zip(work.images, assignments).enumerated().map { index, pair in
                        var assignment = pair.1
                        if embedding == .none { assignment.embedding = nil }
                        return NumberedAssignment(
                            epoch: before.epoch, sequence: before.last + UInt64(index) + 1, origin: pair.0.origin,
                            assignment: assignment, step: version.step, labelEpoch: version.labelEpoch,
                            published: published)
                    })
                // After publishing, so that a heartbeat never names a number that its readers cannot have seen.
                numbering.withLock { $0 = numbered }
                let now = wallClockNanoseconds()
                // The clock may have been set back meanwhile.
                counters.timings.receiveToPublish.record(
                    work.images.lazy.map { Double(max(0, now - $0.origin.received)) * 1e-9 })
                for (image, assignment) in zip(work.images, assignments) {
                    agreement.record(label: image.origin.label, cluster: assignment.cluster)
                }
                usage.record(assignments.lazy.map(\.cluster))
                counters.countAssigned(assignments.count)
                observer?.assigned(work.images, assignments, published: published)
            }
            serving.end()
        }
    }

    /// Starts the worker; a second call does nothing.
    package func start() { thread.start() }

    /// Waits until the next image is answered as fast as any; returns only where the worker has been started.
    package func waitUntilWarm() { isWarm.wait { $0 ? .done(()) : .wait(until: nil) } }

    /// Says that no further image will come: what waits is assigned, then the worker ends.
    package func stop() { queue.close() }

    /// Waits until the worker has ended.
    package func join() { thread.join() }
}

/// Nanoseconds since 1970; `clock_gettime(CLOCK_REALTIME)`.
package func wallClockNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
