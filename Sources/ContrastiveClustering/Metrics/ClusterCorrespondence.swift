// Which cluster of one model is which of another's, as far as images that both have seen tell.

/// The one-to-one map from one model's clusters to another's that holds for most images.
public struct ClusterCorrespondence: Sendable, Equatable {
    /// For each old cluster its new one, no two the same; nil where no image tells.
    public let map: [Int?]
    /// For how many images the map holds.
    public let agreeing: Int
    /// How many images there were.
    public let images: Int

    /// Finds the map.
    ///
    /// - Parameters:
    ///   - before: the old model's cluster of each image.
    ///   - after: the new model's, of the same images.
    ///   - clusters: how many clusters both have.
    public init(from before: [Int], to after: [Int], clusters: Int) {
        precondition(before.count == after.count, "clusters of the same images")
        // Clusters without images say nothing, and there may be thousands of them.
        let (rows, columns) = (Set(before).sorted(), Set(after).sorted())
        let row = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1, $0) })
        let column = Dictionary(uniqueKeysWithValues: columns.enumerated().map { ($1, $0) })
        var shared = Array(repeating: Array(repeating: 0, count: columns.count), count: rows.count)
        for (old, new) in zip(before, after) { shared[row[old]!][column[new]!] += 1 }

        var map = [Int?](repeating: nil, count: clusters)
        var agreeing = 0
        let best = rows.isEmpty ? [] : linearAssignment(rows: rows.count, columns: columns.count) { -shared[$0][$1] }
        for (index, assigned) in best.enumerated() {
            guard let assigned, shared[index][assigned] > 0 else { continue }
            map[rows[index]] = columns[assigned]
            agreeing += shared[index][assigned]
        }
        self.map = map
        self.agreeing = agreeing
        images = before.count
    }

    /// The share of images that the map holds for; nil without images.
    public var agreement: Double? { images > 0 ? Double(agreeing) / Double(images) : nil }
}
