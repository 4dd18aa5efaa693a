// Matrix products through OpenBLAS, one thread a call: the parallelism is the caller's.

import COpenBLAS

/// A matrix in row-major order, perhaps a part of a larger one.
public struct Matrix: @unchecked Sendable {
    // Unchecked: a view, like `Tensor`.

    /// The first value.
    public let data: UnsafeMutablePointer<Float>
    /// Values from one row's start to the next's.
    public let stride: Int
    /// Whether rows and columns are exchanged when the matrix is read.
    public let isTransposed: Bool

    /// A view of rows that start `stride` values apart.
    public init(_ data: UnsafeMutablePointer<Float>, stride: Int, isTransposed: Bool = false) {
        self.data = data
        self.stride = stride
        self.isTransposed = isTransposed
    }

    /// The same values read with rows and columns exchanged.
    public var transposed: Matrix { Matrix(data, stride: stride, isTransposed: !isTransposed) }
}

/// c [m, n] = scale · a [m, k] · b [k, n] + keep · c, on the calling thread: `cblas_sgemm`, or where a single
/// row is added to and b is transposed `cblas_sgemv`, which reads b in place.
///
/// With `keep` 0, what c held does not matter. The result is the same bit for bit for the same sizes and values.
public func matrixProduct(
    _ c: Matrix, _ a: Matrix, _ b: Matrix, m: Int, n: Int, k: Int, scale: Float = 1, keep: Float = 0
) {
    precondition(!c.isTransposed, "a result is written in row-major order")
    guard m > 0 && n > 0 else { return }
    OpenBLAS.useOneThread()
    if m == 1 && keep != 0 && b.isTransposed && !a.isTransposed {
        cblas_sgemv(
            CblasRowMajor, CblasNoTrans, Int32(n), Int32(k), scale, b.data, Int32(b.stride), a.data, 1, keep, c.data, 1)
        return
    }
    cblas_sgemm(
        CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans, b.isTransposed ? CblasTrans : CblasNoTrans,
        Int32(m), Int32(n), Int32(k), scale, a.data, Int32(a.stride), b.data, Int32(b.stride), keep, c.data,
        Int32(c.stride))
}

extension Tensor {
    /// The tensor as a matrix: its last axis along the rows, all others one row each.
    public var matrix: Matrix { Matrix(data, stride: max(1, shape.last ?? 1)) }
}
