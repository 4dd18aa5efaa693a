// What there is to say of a checkpoint, for people and for programs.

import Tensors

/// A checkpoint in figures.
public struct CheckpointSummary: Sendable, Encodable {
    /// A tensor in figures, over its finite elements.
    public struct Tensor: Sendable, Encodable {
        /// The tensor's name.
        public let name: String
        /// `float32`, `int64` or `uint8`.
        public let dtype: String
        /// The extents; empty for a scalar.
        public let shape: [Int]
        /// The square root of the sum of squares.
        public let norm: Double
        /// The smallest element; nil where there is none.
        public let minimum: Double?
        /// The largest element; nil where there is none.
        public let maximum: Double?
        /// How many elements are infinite or no number.
        public let notFinite: Int

        private enum CodingKeys: String, CodingKey {
            case name, dtype, shape, norm, minimum, maximum
            case notFinite = "not_finite"
        }
    }

    /// The metadata's `format`.
    public let format: String
    /// How many steps the weights have been trained for.
    public let step: UInt64
    /// The backbone.
    public let architecture: String
    /// Pixels of the square's side.
    public let imageSize: Int
    /// The cluster head's outputs.
    public let clusters: Int
    /// The length of the instance head's vector.
    public let featureDim: Int
    /// The numbering that the clusters' meaning belongs to.
    public let labelEpoch: UInt64
    /// The size of the file.
    public let bytes: Int
    /// The SHA-256 of the file.
    public let sha256: String
    /// When the file was written, in nanoseconds since 1970.
    public let time: UInt64
    /// How many trained numbers the model has.
    public let parameters: Int
    /// How many bytes the model has, running statistics included.
    public let modelBytes: Int
    /// Whether both moments of every parameter are there, so that training can go on.
    public let hasOptimizer: Bool
    /// The Euclidean norm of all parameters.
    public let norm: Double
    /// How many elements of the file are infinite or no number.
    public let notFinite: Int
    /// The configuration that the model was trained under.
    public let configuration: String
    /// Every tensor, in the order of the file.
    public var tensors: [Tensor]?

    private enum CodingKeys: String, CodingKey {
        case format, step, architecture, clusters, bytes, sha256, parameters, norm, tensors
        case imageSize = "image_size"
        case featureDim = "feature_dim"
        case labelEpoch = "label_epoch"
        case time = "t"
        case modelBytes = "model_bytes"
        case hasOptimizer = "has_optimizer"
        case notFinite = "not_finite"
        case configuration = "config"
    }

    /// Sums up `checkpoint`.
    public init(_ checkpoint: Checkpoint) {
        let tensors = checkpoint.state.tensors
        let names = Set(tensors.map(\.name))
        let model = tensors.filter { !$0.name.hasPrefix("optimizer.") }
        let trained = model.filter { tensor in
            !["running_mean", "running_var", "num_batches_tracked"].contains { tensor.name.hasSuffix(".\($0)") }
        }
        let trainedNames = Set(trained.map(\.name))
        let figures = tensors.map(Tensor.init)
        format = CheckpointFormat.version
        step = checkpoint.state.step
        architecture = checkpoint.model.architecture
        imageSize = checkpoint.model.imageSize
        clusters = checkpoint.model.clusters
        featureDim = checkpoint.model.featureDim
        labelEpoch = checkpoint.labelEpoch
        bytes = checkpoint.record.bytes
        sha256 = checkpoint.record.sha256
        time = checkpoint.record.time
        parameters = trained.reduce(0) { $0 + $1.elements.count }
        modelBytes = model.reduce(0) { $0 + $1.elements.byteCount }
        hasOptimizer =
            !trained.isEmpty
            && trainedNames.allSatisfy { names.contains("optimizer.m.\($0)") && names.contains("optimizer.v.\($0)") }
        norm = figures.filter { trainedNames.contains($0.name) }.reduce(0) { $0 + $1.norm * $1.norm }.squareRoot()
        notFinite = figures.reduce(0) { $0 + $1.notFinite }
        configuration = checkpoint.configuration
        self.tensors = figures
    }
}

extension CheckpointSummary.Tensor {
    init(_ tensor: NamedTensor) {
        name = tensor.name
        shape = tensor.shape
        let range: (norm: Double, minimum: Double?, maximum: Double?, notFinite: Int)
        switch tensor.elements {
        case .float32(let values):
            (dtype, range) = ("float32", Self.range(of: values) { $0.isFinite ? Double($0) : nil })
        case .int64(let values): (dtype, range) = ("int64", Self.range(of: values) { Double($0) })
        case .uint8(let values): (dtype, range) = ("uint8", Self.range(of: values) { Double($0) })
        }
        (norm, minimum, maximum, notFinite) = range
    }

    private static func range<Element>(
        of elements: [Element], number: (Element) -> Double?
    ) -> (norm: Double, minimum: Double?, maximum: Double?, notFinite: Int) {
        var squares = 0.0, minimum = Double.infinity, maximum = -Double.infinity, notFinite = 0
        for element in elements {
            guard let value = number(element) else {
                notFinite += 1
                continue
            }
            squares += value * value
            minimum = min(minimum, value)
            maximum = max(maximum, value)
        }
        let isEmpty = notFinite == elements.count
        return (squares.squareRoot(), isEmpty ? nil : minimum, isEmpty ? nil : maximum, notFinite)
    }
}

extension NamedTensor.Elements {
    fileprivate var byteCount: Int {
        switch self {
        case .float32: count * MemoryLayout<Float>.size
        case .int64: count * MemoryLayout<Int64>.size
        case .uint8: count
        }
    }
}
