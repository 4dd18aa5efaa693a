// How often each cluster went with each label: all that the clustering metrics need, in memory that does not grow with
// the number of images.

/// Counts of (label, cluster) pairs.
public struct ContingencyTable: Sendable, Equatable {
    /// One row a label, one column a cluster; every row has `columns` counts.
    public private(set) var counts: [[Int]]
    /// How many clusters have a column.
    public private(set) var columns: Int
    /// How many images were counted.
    public private(set) var images: Int

    /// Creates a table without a count.
    public init() {
        counts = []
        columns = 0
        images = 0
    }

    /// Creates a table from counts that were kept elsewhere.
    ///
    /// - Parameter counts: one row a label, one column a cluster, none negative; rows of different lengths are filled up.
    public init(counts: [[Int]]) {
        precondition(counts.allSatisfy { $0.allSatisfy { $0 >= 0 } }, "a negative count")
        columns = counts.map(\.count).max() ?? 0
        images = counts.reduce(0) { $0 + $1.reduce(0, +) }
        let columns = columns
        self.counts = counts.map { $0 + Array(repeating: 0, count: columns - $0.count) }
    }

    /// Creates a table from two labelings of the same images; the labels may be any values.
    public init<L: Hashable, C: Hashable>(labels: [L], clusters: [C]) {
        precondition(labels.count == clusters.count, "two labelings of the same images")
        self.init()
        var rowOf: [L: Int] = [:]
        var columnOf: [C: Int] = [:]
        for (label, cluster) in zip(labels, clusters) {
            let row = rowOf[label, default: rowOf.count]
            let column = columnOf[cluster, default: columnOf.count]
            rowOf[label] = row
            columnOf[cluster] = column
            add(row: row, column: column)
        }
    }

    /// Counts one image of the label in `row` and the cluster in `column`; the table grows as needed.
    public mutating func add(row: Int, column: Int) {
        if column >= columns {
            for index in counts.indices { counts[index] += Array(repeating: 0, count: column + 1 - columns) }
            columns = column + 1
        }
        while counts.count <= row { counts.append(Array(repeating: 0, count: columns)) }
        counts[row][column] += 1
        images += 1
    }

    /// Images of each label.
    var rowSums: [Int] { counts.map { $0.reduce(0, +) } }

    /// Images in each cluster.
    public var columnSums: [Int] {
        var sums = Array(repeating: 0, count: columns)
        for row in counts { for (column, count) in row.enumerated() { sums[column] += count } }
        return sums
    }
}
