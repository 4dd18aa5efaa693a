// A tensor with a name, the form in which weights and optimizer state leave and enter the engine.

/// A named tensor in row-major order.
public struct NamedTensor: Sendable, Equatable {
    /// The elements, by data type.
    public enum Elements: Sendable, Equatable {
        /// IEEE 754 binary32.
        case float32([Float])
        /// Signed 64-bit integers.
        case int64([Int64])
        /// Bytes.
        case uint8([UInt8])

        /// How many elements there are.
        public var count: Int {
            switch self {
            case .float32(let values): values.count
            case .int64(let values): values.count
            case .uint8(let values): values.count
            }
        }
    }

    /// The name, for weights that of the authors' PyTorch model.
    public let name: String
    /// The extents; empty for a scalar.
    public let shape: [Int]
    /// `shape.reduce(1, *)` elements, the last axis varying fastest.
    public let elements: Elements

    /// Creates a tensor; the number of elements must be the product of `shape`.
    public init(name: String, shape: [Int], elements: Elements) {
        precondition(elements.count == shape.reduce(1, *), "\(name): \(elements.count) elements do not fill \(shape)")
        self.name = name
        self.shape = shape
        self.elements = elements
    }
}
