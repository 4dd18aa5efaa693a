// The seam for hardware: what the daemon needs of an engine, whatever runs it.
//
// The CPU's learner is the first. A learner belongs to one thread; the daemon holds two, one that trains and one that
// assigns, and hands weights from the first to the second between batches.

import Imaging
import Tensors

/// Which of the three parts of Contrastive Clustering's loss a step had, in nats.
public struct Losses: Sendable, Equatable {
    /// The instance-level loss, mean over 2N rows; 0 where the instance head is off.
    public var instance: Float
    /// The cluster-level loss, mean over 2M columns, without the entropy term; 0 where the cluster head is off.
    public var cluster: Float
    /// log M − H(p) summed over both views; 0 where the clusters are used evenly.
    public var entropy: Float

    /// Creates a set of losses.
    public init(instance: Float, cluster: Float, entropy: Float) {
        self.instance = instance
        self.cluster = cluster
        self.entropy = entropy
    }

    /// What the step minimised.
    public var total: Float { instance + cluster + entropy }
}

/// What one training step did.
public struct StepReport: Sendable, Equatable {
    /// The step's number, from 1.
    public var step: UInt64
    /// The losses before the step's update.
    public var losses: Losses
    /// The mini-batch's mean assignment over both views, one number a cluster, summing to 1.
    public var meanAssignment: [Float]
    /// Whether every gradient is a finite number; true where the losses are not, since none were computed.
    public var gradientsAreFinite: Bool

    /// Creates a report.
    public init(step: UInt64, losses: Losses, meanAssignment: [Float], gradientsAreFinite: Bool = true) {
        self.step = step
        self.losses = losses
        self.meanAssignment = meanAssignment
        self.gradientsAreFinite = gradientsAreFinite
    }

    /// Whether anything was learnt: where losses or gradients are not finite, the weights are those of before.
    public var isFinite: Bool { losses.total.isFinite && gradientsAreFinite }
}

/// Which embedding accompanies an assignment.
public enum EmbeddingKind: String, Sendable, CaseIterable {
    /// None.
    case none
    /// The backbone's features h, [512] or [2048].
    case feature
    /// The instance head's unit vector z, [feature_dim].
    case instance
}

/// The cluster that an image belongs to.
public struct Assignment: Sendable, Equatable {
    /// The cluster, in 0 ..< M.
    public var cluster: Int
    /// The probability of that cluster, in 0 ... 1.
    public var confidence: Float
    /// The probability of every cluster, [M].
    public var probabilities: [Float]
    /// The embedding asked for.
    public var embedding: [Float]?

    /// Creates an assignment.
    public init(cluster: Int, confidence: Float, probabilities: [Float], embedding: [Float]? = nil) {
        self.cluster = cluster
        self.confidence = confidence
        self.probabilities = probabilities
        self.embedding = embedding
    }
}

/// All that a learner needs to go on exactly where another stopped.
public struct LearnerState: Sendable, Equatable {
    /// How many steps have been trained.
    public var step: UInt64
    /// Weights and running statistics under the names of the authors' PyTorch model, and for a training learner the
    /// optimizer's moments as `optimizer.m.<name>` and `optimizer.v.<name>`.
    public var tensors: [NamedTensor]
    /// The random generator's state as text.
    public var random: String

    /// Creates a state.
    public init(step: UInt64, tensors: [NamedTensor], random: String) {
        self.step = step
        self.tensors = tensors
        self.random = random
    }
}

/// Why a state cannot be taken in.
public struct StateMismatch: Error, CustomStringConvertible {
    /// What differs, and from what was expected.
    public let description: String

    /// Creates an error.
    public init(_ description: String) { self.description = description }
}

/// An engine that learns to cluster images. Not thread-safe: a learner belongs to one thread at a time.
public protocol Learner: AnyObject {
    /// One augment-and-train step on a mini-batch [N ≥ 2]: augment twice, forward, losses, backward, update.
    ///
    /// - Parameter next: the mini-batch that is likely to be trained on next, which an engine may make ready meanwhile; empty
    ///   where it is not known. What is learnt does not depend on it.
    func train(_ images: [RGBImage], next: [RGBImage]) -> StepReport

    /// Has later steps take this rate.
    func setLearningRate(_ rate: Float)

    /// Evaluation mode: the cluster of each image, resized to the model's side without cropping; any N ≥ 0.
    func assign(_ images: [RGBImage], embedding: EmbeddingKind) -> [Assignment]

    /// An immutable copy of what `assign` needs, to be handed to another learner of the same model on another thread.
    func snapshot() -> WeightSnapshot

    /// Makes `assign` use the weights of `snapshot`.
    func adopt(_ snapshot: WeightSnapshot)

    /// Lets go of memory that only a further step or assignment would need again.
    func releaseWorkingMemory()

    /// All that resuming needs.
    func exportState() -> LearnerState

    /// Takes in a state that `exportState` gave.
    ///
    /// - Throws: `StateMismatch` where a tensor is missing or of another shape; the learner is unchanged then.
    func importState(_ state: LearnerState) throws
}

extension Learner {
    /// Keeps all memory.
    public func releaseWorkingMemory() {}

    /// One step, without a word on the next one.
    public func train(_ images: [RGBImage]) -> StepReport { train(images, next: []) }
}
