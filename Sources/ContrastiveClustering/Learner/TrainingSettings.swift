// How a model is trained; the defaults are the paper's.

/// Which of an image's two views are augmented; all but `both` are the paper's ablations.
public enum Views: String, Sendable, CaseIterable {
    /// T(x) and T'(x), the paper's way.
    case both
    /// T(x) and x.
    case one
    /// x and x.
    case none
}

/// The settings of training.
public struct TrainingSettings: Sendable, Equatable {
    /// Images a step, N. Memory is planned for so many; a step may have fewer.
    public var batchSize: Int
    /// Adam's α.
    public var learningRate: Float
    /// τ_I.
    public var instanceTemperature: Float
    /// τ_C.
    public var clusterTemperature: Float
    /// Which views are augmented.
    public var views: Views
    /// Which heads are trained.
    public var heads: Heads
    /// The strength s of the colour jitter: 0.5 for small pictures, 1 for photos.
    public var jitter: Float
    /// Whether half of the views are blurred.
    public var blur: Bool
    /// What initial values and augmentations are drawn from.
    public var seed: UInt64

    /// Creates settings.
    public init(
        batchSize: Int = 256, learningRate: Float = 3e-4, instanceTemperature: Float = 0.5,
        clusterTemperature: Float = 1, views: Views = .both, heads: Heads = .both, jitter: Float = 1,
        blur: Bool = false,
        seed: UInt64 = 42
    ) {
        self.batchSize = batchSize
        self.learningRate = learningRate
        self.instanceTemperature = instanceTemperature
        self.clusterTemperature = clusterTemperature
        self.views = views
        self.heads = heads
        self.jitter = jitter
        self.blur = blur
        self.seed = seed
    }

    /// The settings that the losses see.
    var losses: LossSettings {
        LossSettings(heads: heads, instanceTemperature: instanceTemperature, clusterTemperature: clusterTemperature)
    }
}
