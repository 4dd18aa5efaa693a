// How long the parts of an image's way take, by size: a mean would hide the slowest of a hundred.

import Telemetry

/// Histograms that the workers fill.
package final class PipelineTimings: Sendable {
    /// Seconds that decoding an image takes, be it readable or not.
    package let decode = Histogram(bounds: [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1,
    ])
    /// Images of a batch that is assigned.
    package let batchImages = Histogram(bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 4096])
    /// Seconds that assigning a batch takes.
    package let batch = Histogram(bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10])
    /// Seconds of a training step.
    package let step = Histogram(bounds: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120])
    /// Seconds from an image's arrival until its assignment has been written to the journal and handed to the publisher.
    package let receiveToPublish = Histogram(
        bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60])

    /// Creates empty histograms.
    package init() {}
}
