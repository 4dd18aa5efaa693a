// What became of the images after a socket admitted them, counted since the start.

import Synchronization

/// Counts that any thread may add to.
package final class PipelineCounters: Sendable {
    private let assignedCount = Atomic<UInt64>(0)
    private let trainedCount = Atomic<UInt64>(0)
    private let bufferFullCount = Atomic<UInt64>(0)
    private let pausedCount = Atomic<UInt64>(0)
    private let restCount = Atomic<UInt64>(0)
    private let stepCount = Atomic<UInt64>(0)

    /// Images assigned a second, of late.
    package let assignedRate = RecentRate()
    /// Images trained on a second, of late.
    package let trainedRate = RecentRate()
    /// How long the parts of an image's way take.
    package let timings = PipelineTimings()

    /// Creates counters at zero.
    package init() {}

    /// Images assigned to a cluster.
    package var assigned: UInt64 { assignedCount.load(ordering: .relaxed) }
    /// Images trained on.
    package var trained: UInt64 { trainedCount.load(ordering: .relaxed) }
    /// Images assigned but not trained on, since the training buffer was full; never of a source that blocks.
    package var leftOutBufferFull: UInt64 { bufferFullCount.load(ordering: .relaxed) }
    /// Images assigned but not trained on, since training was paused.
    package var leftOutPaused: UInt64 { pausedCount.load(ordering: .relaxed) }
    /// Images assigned but not trained on, since fewer than half a mini-batch were left at the end.
    package var leftOutRest: UInt64 { restCount.load(ordering: .relaxed) }
    /// Training steps.
    package var steps: UInt64 { stepCount.load(ordering: .relaxed) }

    /// Counts `images` assigned.
    package func countAssigned(_ images: Int) {
        assignedCount.add(UInt64(images), ordering: .relaxed)
        assignedRate.add(images)
    }
    /// Counts a step on `images`.
    package func countStep(images: Int) {
        stepCount.add(1, ordering: .relaxed)
        trainedCount.add(UInt64(images), ordering: .relaxed)
        trainedRate.add(images)
    }
    /// Counts an image that found the training buffer full.
    package func countLeftOutBufferFull() { bufferFullCount.add(1, ordering: .relaxed) }
    /// Counts an image that came while training was paused.
    package func countLeftOutPaused() { pausedCount.add(1, ordering: .relaxed) }
    /// Counts a rest too small to train on.
    package func countLeftOutRest(_ images: Int) { restCount.add(UInt64(images), ordering: .relaxed) }
}
