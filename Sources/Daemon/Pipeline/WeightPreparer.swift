// The worker that takes newer weights in, so that no image waits for it.
//
// Weights are copied and brought into the forms that evaluation multiplies with: 15 ms for ResNet-18, and more for larger
// networks. It happens in a learner that does not serve; the assigner then exchanges the two between two batches.

import ContrastiveClustering
import Imaging

/// The weight-preparing worker.
final class WeightPreparer: Sendable {
    private let thread: WorkerThread

    /// Creates a preparer that is not running yet.
    ///
    /// - Parameters:
    ///   - spare: the learner to begin with, of any weights.
    ///   - queue: where weights come from and go to; closing it ends the preparer.
    init(spare: LearnerHandover, queue: AssignQueue) {
        queue.giveBack(spare)
        thread = WorkerThread(name: "weights", stackSize: 16 << 20, niceness: Trainer.niceness) {
            var tried: [ObjectIdentifier: Int] = [:]
            while let (update, handover, largestBatch) = queue.nextToPrepare() {
                let learner = handover.learner
                learner.adopt(update.snapshot)
                // A learner makes room, and prepares a form of the weights, when a size of batch first needs it. What the
                // assigner is known to need is there before it serves.
                let known = tried[ObjectIdentifier(learner)] ?? 0
                if largestBatch > known {
                    for count in Set([1, largestBatch]) {
                        _ = learner.assign(Array(repeating: Self.blank, count: count), embedding: .none)
                    }
                    tried[ObjectIdentifier(learner)] = largestBatch
                }
                queue.offer(
                    PreparedUpdate(learner: handover, version: update.version, relabelings: update.relabelings))
            }
        }
    }

    private static let blank = RGBImage(width: 1, height: 1, pixels: [0, 0, 0])

    /// Starts the worker; a second call does nothing.
    func start() { thread.start() }

    /// Waits, once the queue has been closed, until the worker has ended.
    func join() { thread.join() }
}
