// Many-dimensional vectors on a plane: their two principal components (Pearson 1901), by orthogonal iteration.
//
// It goes on from the axes of the last time: a few rounds suffice then, and the picture does not jump or flip between two looks.

/// The plane that a sample of vectors spreads most in.
package struct PrincipalAxes: Sendable {
    private static let width = 8
    /// Two orthonormal vectors, each padded to a multiple of `width`.
    private var axes: [[Float]] = []

    /// Creates axes that are not turned to anything yet.
    package init() {}

    /// Projects vectors of one length; the spread along the first coordinate is the largest.
    package mutating func project(_ vectors: [[Float]]) -> [SIMD2<Float>] {
        guard let length = vectors.first?.count, length >= 2, vectors.count >= 3 else {
            return vectors.map { _ in .zero }
        }
        let padded = (length + Self.width - 1) / Self.width * Self.width
        let rows = Self.centred(vectors, length: length, padded: padded)
        let isNew = axes.first?.count != padded
        if isNew { axes = (0..<2).map { axis in Self.start(axis, length: length, padded: padded) } }
        orthonormalize()
        for _ in 0..<(isNew ? 40 : 8) {
            axes = axes.map { Self.turned($0, rows: rows) }
            orthonormalize()
        }
        let (first, second) = (Self.products(axes[0], rows), Self.products(axes[1], rows))
        return zip(first, second).map { SIMD2($0, $1) }
    }

    private static func centred(_ vectors: [[Float]], length: Int, padded: Int) -> [[Float]] {
        var mean = [Float](repeating: 0, count: length)
        for vector in vectors { for index in 0..<length { mean[index] += vector[index] } }
        for index in 0..<length { mean[index] /= Float(vectors.count) }
        return vectors.map { vector in
            var row = [Float](repeating: 0, count: padded)
            for index in 0..<length { row[index] = vector[index] - mean[index] }
            return row
        }
    }

    /// Any two vectors do that are not the same by chance.
    private static func start(_ axis: Int, length: Int, padded: Int) -> [Float] {
        var state = UInt32(axis + 1) &* 2_654_435_761
        return (0..<padded).map { index in
            state = state &* 1_664_525 &+ 1_013_904_223
            return index < length ? Float(state >> 8) / Float(1 << 24) - 0.5 : 0
        }
    }

    /// Xᵀ X axis.
    private static func turned(_ axis: [Float], rows: [[Float]]) -> [Float] {
        var sum = [Float](repeating: 0, count: axis.count)
        sum.withUnsafeMutableBufferPointer { sum in
            for (row, product) in zip(rows, products(axis, rows)) {
                row.withUnsafeBufferPointer { row in
                    for index in 0..<row.count { sum[index] += product * row[index] }
                }
            }
        }
        return sum
    }

    /// X axis.
    private static func products(_ axis: [Float], _ rows: [[Float]]) -> [Float] { rows.map { dot(axis, $0) } }

    private static func dot(_ a: [Float], _ b: [Float]) -> Float {
        a.withUnsafeBytes { a in
            b.withUnsafeBytes { b in
                var sum = SIMD8<Float>.zero
                for offset in stride(from: 0, to: a.count, by: 4 * width) {
                    sum +=
                        a.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
                        * b.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
                }
                return sum.sum()
            }
        }
    }

    /// Gram and Schmidt; an axis without length stays so, and all projections on it are 0.
    private mutating func orthonormalize() {
        Self.normalize(&axes[0])
        let overlap = Self.dot(axes[0], axes[1])
        for index in axes[1].indices { axes[1][index] -= overlap * axes[0][index] }
        Self.normalize(&axes[1])
    }

    private static func normalize(_ vector: inout [Float]) {
        let length = dot(vector, vector).squareRoot()
        guard length > 1e-20, length.isFinite else { return }
        for index in vector.indices { vector[index] /= length }
    }
}
