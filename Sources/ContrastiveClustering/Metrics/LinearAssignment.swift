// The best one-to-one assignment of rows to columns, by the Hungarian method with potentials and shortest augmenting
// paths (Kuhn 1955; Jonker and Volgenant 1987), O(n² m) for n ≤ m. Costs are integers, so ties and sums are exact.

/// The one-to-one assignment of rows to columns with the lowest total cost.
///
/// - Parameters:
///   - rows: how many rows there are.
///   - columns: how many columns there are; the shorter side is assigned completely.
///   - cost: the cost of giving a row a column; far enough from `Int.max` that `rows + columns` of them can be added.
/// - Returns: each row's column, nil where a table with more rows than columns leaves it without one.
public func linearAssignment(rows: Int, columns: Int, cost: (_ row: Int, _ column: Int) -> Int) -> [Int?] {
    guard rows <= columns else {
        var result = [Int?](repeating: nil, count: rows)
        let transposed = linearAssignment(rows: columns, columns: rows) { cost($1, $0) }
        for (column, row) in transposed.enumerated() { result[row!] = column }
        return result
    }
    // Row and column 0 stand for "none", so rows and columns count from 1 here.
    var rowPotential = [Int](repeating: 0, count: rows + 1)
    var columnPotential = [Int](repeating: 0, count: columns + 1)
    var owner = [Int](repeating: 0, count: columns + 1)
    var previous = [Int](repeating: 0, count: columns + 1)
    for row in 0..<rows {
        // Dijkstra over reduced costs from the new row to the nearest free column.
        var distance = [Int](repeating: .max, count: columns + 1)
        var visited = [Bool](repeating: false, count: columns + 1)
        var column = 0
        owner[0] = row + 1
        repeat {
            visited[column] = true
            let current = owner[column]
            var step = Int.max
            var nearest = 0
            for other in 1...columns where !visited[other] {
                let reduced = cost(current - 1, other - 1) - rowPotential[current] - columnPotential[other]
                if reduced < distance[other] {
                    distance[other] = reduced
                    previous[other] = column
                }
                if distance[other] < step {
                    step = distance[other]
                    nearest = other
                }
            }
            for other in 0...columns {
                if visited[other] {
                    rowPotential[owner[other]] += step
                    columnPotential[other] -= step
                } else if distance[other] != .max {
                    distance[other] -= step
                }
            }
            column = nearest
        } while owner[column] != 0
        // The path found is flipped: each column on it goes to the row before it.
        while column != 0 {
            owner[column] = owner[previous[column]]
            column = previous[column]
        }
    }
    var result = [Int?](repeating: nil, count: rows)
    for column in 1..<(columns + 1) where owner[column] != 0 { result[owner[column] - 1] = column - 1 }
    return result
}
