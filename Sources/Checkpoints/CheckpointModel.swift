// Which model a checkpoint is of, as far as its weights depend on it.

/// The description of a model that its checkpoints carry.
public struct CheckpointModel: Sendable, Equatable, CustomStringConvertible {
    /// The backbone: `resnet18`, `resnet34` or `resnet50`.
    public var architecture: String
    /// Pixels of the side of the square that the network was trained on. The weights fit any other size too.
    public var imageSize: Int
    /// The cluster head's outputs, M.
    public var clusters: Int
    /// The length of the instance head's vector.
    public var featureDim: Int

    /// Creates a description.
    public init(architecture: String, imageSize: Int, clusters: Int, featureDim: Int) {
        self.architecture = architecture
        self.imageSize = imageSize
        self.clusters = clusters
        self.featureDim = featureDim
    }

    /// Whether weights of this model fit `other`: all but the image size must be the same.
    public func fits(_ other: CheckpointModel) -> Bool {
        architecture == other.architecture && clusters == other.clusters && featureDim == other.featureDim
    }

    /// One line, such as "resnet34, 10 clusters, 128 features, 224 pixels".
    public var description: String {
        "\(architecture), \(clusters) clusters, \(featureDim) features, \(imageSize) pixels"
    }
}
