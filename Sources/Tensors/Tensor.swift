// A row-major block of floats with a shape: what the operations of the engine read and write.
//
// A tensor is a view; the arena that it lies in must outlive it. It has no arithmetic of its own: an operation is a free
// function whose comment says the shapes.

/// A view of float32 values in row-major order.
public struct Tensor: @unchecked Sendable {
    // Unchecked: who writes where is the matter of whoever shares the memory out.

    /// The extents, the last varying fastest.
    public let shape: [Int]
    /// The first value.
    public let data: UnsafeMutablePointer<Float>

    /// A view of the values from `data` on.
    public init(_ data: UnsafeMutablePointer<Float>, _ shape: [Int]) {
        precondition(shape.allSatisfy { $0 >= 0 })
        self.data = data
        self.shape = shape
    }

    /// How many values there are.
    public var count: Int { shape.reduce(1, *) }

    /// The values as an array.
    public var values: [Float] { Array(UnsafeBufferPointer(start: data, count: count)) }

    /// The first `count` entries along the first axis.
    public func prefix(_ count: Int) -> Tensor {
        precondition(count <= shape[0])
        return Tensor(data, [count] + shape.dropFirst())
    }

    /// The entries of one of `count` equal parts along the first axis.
    public func part(_ index: Int, of count: Int) -> Tensor {
        precondition(shape[0] % count == 0 && index < count)
        let size = shape[0] / count
        return Tensor(data + index * (self.count / count), [size] + shape.dropFirst())
    }

    /// Copies `values`, one for each of the tensor's.
    public func assign(_ values: some Collection<Float>) {
        precondition(values.count == count)
        _ = UnsafeMutableBufferPointer(start: data, count: count).update(fromContentsOf: values)
    }

    /// Sets all values to zero.
    public func clear() { data.update(repeating: 0, count: count) }
}
