// How far clusters wander while training goes on: the share of the remembered images that change cluster between two
// checkpoints.
//
// It asks a learner of its own, made for the occasion, so that neither training nor assigning waits.

import ContrastiveClustering
import Logging
import Synchronization

/// Compares each checkpoint's clusters with those of the one before.
final class ChurnMeter: Sendable {
    /// Remembered images without which nothing is said.
    static let evidence = 16

    private struct State: Sendable {
        var last: (version: ModelVersion, clusters: [Int])?
        var isOver = false
    }

    private let probe: ProbeSet
    private let makeLearner: @Sendable (LearnerRole) throws -> LearnerHandover
    private let logger: Logger
    private let state = Mutex(State())

    init(
        probe: ProbeSet, logger: Logger, makeLearner: @escaping @Sendable (LearnerRole) throws -> LearnerHandover
    ) {
        self.probe = probe
        self.logger = logger
        self.makeLearner = makeLearner
    }

    /// Measures a checkpoint's clusters against the last one's; nil for the first of a label epoch, and without enough images.
    func measure(_ state: LearnerState, labelEpoch: UInt64) -> Churn? {
        let pictures = probe.pictures
        guard pictures.count >= Self.evidence, !self.state.withLock({ $0.isOver }) else { return nil }
        let clusters: [Int]
        do {
            let learner = try makeLearner(.probing).learner
            try learner.importState(state)
            clusters = learner.assign(pictures, embedding: .none).map(\.cluster)
        } catch {
            logger.error("the remembered images cannot be assigned", metadata: ["reason": "\(error)"])
            return nil
        }
        let version = ModelVersion(step: state.step, labelEpoch: labelEpoch)
        return self.state.withLock { known in
            defer { known.last = (version, clusters) }
            guard let last = known.last, last.version.labelEpoch == labelEpoch else { return nil }
            return Churn(from: last.clusters, to: clusters)
        }
    }

    /// Measures no further: the last checkpoint of a run is not held up.
    func end() { state.withLock { $0.isOver = true } }
}
