// What a model is; two models of equal settings can take each other's weights.

import NeuralNetwork

/// The shape of a model; the defaults are the paper's.
public struct ModelSettings: Sendable, Equatable {
    /// Which ResNet computes the features.
    public typealias Architecture = ResNetArchitecture

    /// The backbone.
    public var architecture: Architecture
    /// Height and width of the pictures that it sees, in pixels.
    public var imageSize: Int
    /// How many clusters there are, at least 2.
    public var clusters: Int
    /// The length of an instance vector.
    public var featureDimension: Int

    /// Creates settings.
    public init(
        architecture: Architecture = .resnet34, imageSize: Int = 224, clusters: Int = 10, featureDimension: Int = 128
    ) {
        self.architecture = architecture
        self.imageSize = imageSize
        self.clusters = clusters
        self.featureDimension = featureDimension
    }
}
