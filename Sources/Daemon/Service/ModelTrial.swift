// Everything that can be wrong with a model looked for before it serves, with a learner of its own, so that nobody who sends
// an image waits for any of it.

import Checkpoints
import ContrastiveClustering
import StreamProtocol

/// Tries models.
struct ModelTrial: Sendable {
    /// What a trial found of a model that may serve.
    struct Result {
        /// The clusters that the model that serves gives to the remembered images; empty where none serves.
        var before: [Int]
        /// The clusters that the model gives to them.
        var after: [Int]
        /// What becomes of cluster numbers.
        var correspondence: ClusterCorrespondence
    }

    /// The model that checkpoints must be of.
    let model: CheckpointModel
    /// The images that models are compared on.
    let probe: ProbeSet
    /// The bytes that a checkpoint of the model has at most.
    let largestCheckpoint: Int
    private let makeLearner: @Sendable (LearnerRole) throws -> LearnerHandover

    /// Creates a trial.
    ///
    /// - Parameters:
    ///   - weights: weights of the model.
    ///   - makeLearner: builds a learner.
    init(
        model: CheckpointModel, weights: WeightSnapshot, probe: ProbeSet,
        makeLearner: @escaping @Sendable (LearnerRole) throws -> LearnerHandover
    ) {
        self.model = model
        self.probe = probe
        self.makeLearner = makeLearner
        // Weights and two moments of each, and room for what may come with them.
        largestCheckpoint = 4 * 4 * weights.values.count + (64 << 20)
    }

    /// A learner to try a model with.
    func learner(_ role: LearnerRole) throws(ControlFailure) -> any Learner {
        do {
            return try makeLearner(role).learner
        } catch {
            throw ControlFailure(.failed, "a model cannot be tried: \(error)")
        }
    }

    /// Reads a checkpoint, which must be of the model.
    ///
    /// - Parameter load: reads it, unless it has more bytes.
    func checkpoint(
        _ name: String, _ load: (_ maximumBytes: Int) throws(CheckpointError) -> Checkpoint
    ) throws(ControlFailure) -> Checkpoint {
        let checkpoint: Checkpoint
        do throws(CheckpointError) {
            checkpoint = try load(largestCheckpoint)
        } catch {
            throw ControlFailure(error.isMissingFile ? .notFound : .refused, error.description)
        }
        guard checkpoint.model.fits(model) else {
            throw ControlFailure(.refused, "\(name) is of \(checkpoint.model), this daemon's model is \(model)")
        }
        return checkpoint
    }

    /// Tries a model; `learner` has it afterwards.
    ///
    /// - Parameters:
    ///   - serving: the weights that serve, asked for once it is known that the model fits; nil where none do.
    ///   - isTrusted: whether it is taken whatever it answers.
    /// - Throws: `StateMismatch` where it does not fit, `ControlFailure` where it must not serve, and what `serving` throws.
    func examine(
        _ state: LearnerState, _ name: String, _ learner: any Learner, serving: () throws -> WeightSnapshot?,
        isTrusted: Bool = false
    ) throws -> Result {
        let canary = Canary(remembered: probe.pictures, side: model.imageSize)
        try learner.importState(state)
        let candidate = learner.assign(canary.pictures, embedding: .none)
        var current: [Assignment] = []
        if let weights = try serving() {
            learner.adopt(weights)
            current = learner.assign(canary.pictures, embedding: .none)
            // Also what an adoption leaves as it is, such as the optimizer's moments.
            try learner.importState(state)
        }
        if !isTrusted, let objection = canary.objection(to: candidate, serving: current) {
            throw ControlFailure(.refused, "\(name) is not taken: \(objection)")
        }
        learner.releaseWorkingMemory()
        let before = current.prefix(canary.remembered).map(\.cluster)
        let after = candidate.prefix(canary.remembered).map(\.cluster)
        return Result(
            before: before, after: after,
            correspondence: ClusterCorrespondence(
                from: before, to: current.isEmpty ? [] : after, clusters: model.clusters))
    }
}

extension RelabelingMessage {
    /// What becomes of cluster numbers when a model takes over, as far as the remembered images tell.
    init(
        _ correspondence: ClusterCorrespondence, from previous: UInt64, to labelEpoch: UInt64, model: String
    ) {
        self.init(
            labelEpoch: Int(clamping: labelEpoch), previousLabelEpoch: Int(clamping: previous), model: model,
            map: correspondence.map, agreement: correspondence.agreement, images: correspondence.images,
            published: wallClockNanoseconds())
    }
}
