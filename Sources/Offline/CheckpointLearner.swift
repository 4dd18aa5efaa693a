// A learner for assigning, made from a checkpoint alone.

import Checkpoints
import ContrastiveClustering

extension CPULearner {
    /// A learner with the model and weights of `checkpoint`.
    ///
    /// - Throws: `StateMismatch` where the checkpoint is of a model that this program does not know, or incomplete.
    package static func assigning(from checkpoint: Checkpoint, threads: Int = 0) throws -> CPULearner {
        let model = checkpoint.model
        guard let architecture = ModelSettings.Architecture(rawValue: model.architecture) else {
            let known = ModelSettings.Architecture.allCases.map(\.rawValue).joined(separator: ", ")
            throw StateMismatch("the architecture \(model.architecture) is none of \(known)")
        }
        guard (1...maximumImageSize).contains(model.imageSize), (2...maximumOutputs).contains(model.clusters),
            (1...maximumOutputs).contains(model.featureDim)
        else { throw StateMismatch("a model of \(model) is out of bounds") }
        let learner = CPULearner(
            model: ModelSettings(
                architecture: architecture, imageSize: model.imageSize, clusters: model.clusters,
                featureDimension: model.featureDim),
            training: TrainingSettings(heads: checkpoint.state.hasFeatureClusters ? .instance : .both),
            role: .assigning, threads: threads)
        try learner.importState(checkpoint.state)
        return learner
    }

    /// The largest sizes for which memory is taken on a file's word.
    private static let maximumImageSize = 4096
    private static let maximumOutputs = 65_536
}
