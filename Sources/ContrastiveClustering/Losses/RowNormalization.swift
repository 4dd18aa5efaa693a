// Rows brought to unit length, forward and backward: PyTorch's `F.normalize(x, dim=1)`.

import Tensors

/// Rows shorter than this are divided by it instead of by their length.
private let shortest = 1e-12

/// y = x / max(‖x‖, 1e-12), row by row; `y` may be `x`.
///
/// - Parameters:
///   - y: [rows, columns]
///   - norms: [rows], receives what each row was divided by
///   - x: [rows, columns]
func normalizeRows(_ y: Tensor, norms: inout [Double], _ x: Tensor) {
    let columns = x.shape[1]
    for row in 0..<x.shape[0] {
        let x = x.data + row * columns
        let y = y.data + row * columns
        var sum = 0.0
        for column in 0..<columns { sum += Double(x[column]) * Double(x[column]) }
        norms[row] = max(sum.squareRoot(), shortest)
        let scale = 1 / norms[row]
        for column in 0..<columns { y[column] = Float(Double(x[column]) * scale) }
    }
}

/// dx = (dy − y (y · dy)) / ‖x‖, row by row; `dx` may be `dy`.
///
/// - Parameters:
///   - dx: [rows, columns]
///   - dy: [rows, columns]
///   - y: what `normalizeRows` gave, as did `norms`
func normalizeRowsBackward(_ dx: Tensor, _ dy: Tensor, y: Tensor, norms: [Double]) {
    let columns = y.shape[1]
    for row in 0..<y.shape[0] {
        let dx = dx.data + row * columns
        let dy = dy.data + row * columns
        let y = y.data + row * columns
        var along = 0.0
        // A row at the lower bound was divided by a constant.
        if norms[row] > shortest {
            for column in 0..<columns { along += Double(y[column]) * Double(dy[column]) }
        }
        let scale = 1 / norms[row]
        for column in 0..<columns { dx[column] = Float((Double(dy[column]) - Double(y[column]) * along) * scale) }
    }
}
