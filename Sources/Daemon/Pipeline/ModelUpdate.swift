// Weights on their way from the trainer to the assigner, and what the assigner serves.

import ContrastiveClustering
import StreamProtocol

/// Which weights a model has, and what its cluster numbers mean.
package struct ModelVersion: Sendable, Equatable {
    /// How many steps the weights have been trained for.
    package var step: UInt64
    /// The numbering that the clusters' meaning belongs to.
    package var labelEpoch: UInt64

    /// Creates a version.
    package init(step: UInt64, labelEpoch: UInt64) {
        self.step = step
        self.labelEpoch = labelEpoch
    }
}

/// Newer weights for the assigner.
package struct ModelUpdate: Sendable {
    /// The weights.
    package var snapshot: WeightSnapshot
    /// The numbering that their clusters' meaning belongs to.
    package var labelEpoch: UInt64
    /// What is to be said of cluster numbers before the first assignment with these weights.
    package var relabelings: [RelabelingMessage] = []

    /// Creates an update.
    package init(_ snapshot: WeightSnapshot, labelEpoch: UInt64, relabelings: [RelabelingMessage] = []) {
        self.snapshot = snapshot
        self.labelEpoch = labelEpoch
        self.relabelings = relabelings
    }

    var version: ModelVersion { ModelVersion(step: snapshot.step, labelEpoch: labelEpoch) }
}

/// Newer weights for the assigner, taken in by a learner.
package struct PreparedUpdate: Sendable {
    /// The learner, which is the assigner's from now on.
    package var learner: LearnerHandover
    /// Which weights it has.
    package var version: ModelVersion
    /// What is to be said of cluster numbers before the first assignment with these weights.
    package var relabelings: [RelabelingMessage]
}

/// The model that images are assigned with; thread-safe.
package final class ServingModel: Sendable {
    private let state: Monitor<(version: ModelVersion, isOver: Bool)>

    /// Starts with a version.
    package init(_ version: ModelVersion) { state = Monitor((version, false)) }

    /// The weights that the next image is assigned with, unless newer ones come before it.
    package var version: ModelVersion { state.read { $0.version } }

    /// Waits until a model serves that `condition` holds for.
    ///
    /// - Returns: false where assigning has ended before.
    package func wait(until condition: (ModelVersion) -> Bool) -> Bool {
        state.wait { state in
            if condition(state.version) { return .done(true) }
            return state.isOver ? .done(false) : .wait(until: nil)
        }
    }

    func adopted(_ version: ModelVersion) { state.withLock { $0.version = version } }

    func end() { state.withLock { $0.isOver = true } }
}
