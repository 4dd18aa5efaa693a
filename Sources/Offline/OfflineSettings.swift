// What `train` is asked to do, and how a checkpoint remembers it.

import Checkpoints
import ContrastiveClustering
import Foundation

/// The settings of a run over a collection.
package struct OfflineSettings: Sendable, Equatable {
    /// The model's shape.
    package var model: ModelSettings
    /// How it is trained.
    package var training: TrainingSettings
    /// How often every image is seen.
    package var epochs: Int
    /// Epochs from one evaluation to the next; 0 for one at the end alone.
    package var evaluateEvery: Int
    /// Steps after which a checkpoint is due.
    package var checkpointSteps: UInt64
    /// Seconds after which one is due, whatever the steps.
    package var checkpointSeconds: Double

    /// Creates settings; the defaults are the paper's.
    package init(
        model: ModelSettings = ModelSettings(), training: TrainingSettings = TrainingSettings(), epochs: Int = 1000,
        evaluateEvery: Int = 1, checkpointSteps: UInt64 = 200, checkpointSeconds: Double = 600
    ) {
        self.model = model
        self.training = training
        self.epochs = epochs
        self.evaluateEvery = evaluateEvery
        self.checkpointSteps = checkpointSteps
        self.checkpointSeconds = checkpointSeconds
    }

    /// The model as checkpoints describe it.
    package var checkpointModel: CheckpointModel {
        CheckpointModel(
            architecture: model.architecture.rawValue, imageSize: model.imageSize, clusters: model.clusters,
            featureDim: model.featureDimension)
    }

    // MARK: In a checkpoint

    /// What a run must agree on with the run that it goes on from, by the names of the configuration file.
    private var remembered: [String: String] {
        [
            "train.batch_size": "\(training.batchSize)", "train.learning_rate": "\(training.learningRate)",
            "train.instance_temperature": "\(training.instanceTemperature)",
            "train.cluster_temperature": "\(training.clusterTemperature)", "train.views": training.views.rawValue,
            "train.heads": training.heads.rawValue, "train.jitter": "\(training.jitter)",
            "train.blur": "\(training.blur)", "train.seed": "\(training.seed)",
            "model.image_size": "\(model.imageSize)",
        ]
    }

    /// The settings as a checkpoint's `config`: a JSON object of strings.
    package var configuration: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return (try? encoder.encode(remembered)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    /// The settings in which a checkpoint's run differed, such as `train.seed is 1, the checkpoint's is 42`; those that the
    /// checkpoint does not tell are taken to agree.
    package func differences(from configuration: String) -> [String] {
        let other = (try? JSONDecoder().decode([String: String].self, from: Data(configuration.utf8))) ?? [:]
        return remembered.sorted { $0.key < $1.key }.compactMap { key, value in
            guard let before = other[key], before != value else { return nil }
            return "\(key) is \(value), the checkpoint's is \(before)"
        }
    }
}

/// Why a run over a collection cannot begin or go on.
package enum OfflineError: Error, CustomStringConvertible, Equatable {
    /// A mini-batch needs two images.
    case tooFewImages(Int)
    /// The folder's checkpoints are of a run with other settings.
    case otherSettings(directory: String, differences: [String])
    /// The losses of several steps in a row were not finite.
    case diverged(step: UInt64)

    /// One line: what is wrong and what may help.
    package var description: String {
        switch self {
        case .tooFewImages(let count):
            "\(count == 0 ? "no image" : "only \(count) image"): training needs two or more"
        case .otherSettings(let directory, let differences):
            "cannot resume from \(directory): \(differences.joined(separator: "; ")) "
                + "(give the same settings, or another --out)"
        case .diverged(let step):
            "the losses after step \(step) are not finite, three times in a row: the learning rate may be too high"
        }
    }
}
