// How well clusters agree with labels: NMI, ACC, ARI and Fowlkes-Mallows, with scikit-learn's conventions in degenerate
// cases. Counts of pairs are kept as 128-bit integers, since their products pass 64 bits from 80,000 images on.

import Foundation

/// The agreement of a clustering with labels; each score is at most 1, which is a perfect match.
public struct ClusteringScores: Sendable, Equatable {
    /// Mutual information over the arithmetic mean of the two entropies, in 0 ... 1.
    public let normalizedMutualInformation: Double
    /// The share of images that are right under the best one-to-one match of clusters to labels, in 0 ... 1.
    public let accuracy: Double
    /// The Rand index corrected for chance (Hubert and Arabie 1985): 0 on average for random clusters.
    public let adjustedRandIndex: Double
    /// The geometric mean of pairwise precision and recall (Fowlkes and Mallows 1983), in 0 ... 1.
    public let fowlkesMallows: Double
    /// How many images were compared.
    public let images: Int

    /// The scores of a table of counts; nil where it counts no image.
    public init?(_ table: ContingencyTable) {
        guard table.images > 0 else { return nil }
        let rows = table.rowSums
        let columns = table.columnSums
        images = table.images
        normalizedMutualInformation = mutualInformationScore(table, rows: rows, columns: columns)
        let match = linearAssignment(rows: rows.count, columns: columns.count) { -table.counts[$0][$1] }
        let right = match.enumerated().reduce(0) { sum, pair in
            sum + (pair.element.map { table.counts[pair.offset][$0] } ?? 0)
        }
        accuracy = Double(right) / Double(table.images)
        let pairs = Pairs(table, rows: rows, columns: columns)
        adjustedRandIndex = pairs.adjustedRandIndex
        fowlkesMallows = pairs.fowlkesMallows
    }

    /// The scores of `clusters` against `labels`, one of each an image; nil where there is no image.
    public init?<L: Hashable, C: Hashable>(labels: [L], clusters: [C]) {
        self.init(ContingencyTable(labels: labels, clusters: clusters))
    }
}

/// The mutual information of both labelings, normalised by the mean of their entropies.
private func mutualInformationScore(_ table: ContingencyTable, rows: [Int], columns: [Int]) -> Double {
    // Neither side divides the images: a perfect match.
    if rows.count(where: { $0 > 0 }) == 1 && columns.count(where: { $0 > 0 }) == 1 { return 1 }
    let total = Double(table.images)
    func entropy(_ counts: [Int]) -> Double {
        counts.reduce(0) { $1 > 0 ? $0 - Double($1) / total * log(Double($1) / total) : $0 }
    }
    var information = 0.0
    for (row, counts) in zip(rows, table.counts) {
        for (column, count) in zip(columns, counts) where count > 0 {
            information += Double(count) / total * log(Double(count) * total / (Double(row) * Double(column)))
        }
    }
    // Rounding may leave a trace where the labelings are independent.
    guard information > .ulpOfOne else { return 0 }
    return min(1, information / ((entropy(rows) + entropy(columns)) / 2))
}

/// How many ordered pairs of different images share a label, a cluster, or both.
private struct Pairs {
    let sameBoth: Int128
    let sameLabel: Int128
    let sameCluster: Int128
    let all: Int128

    init(_ table: ContingencyTable, rows: [Int], columns: [Int]) {
        func pairs(_ counts: [Int]) -> Int128 { counts.reduce(0) { $0 + Int128($1) * (Int128($1) - 1) } }
        sameBoth = table.counts.reduce(0) { $0 + pairs($1) }
        sameLabel = pairs(rows)
        sameCluster = pairs(columns)
        all = pairs([table.images])
    }

    var adjustedRandIndex: Double {
        let truePositive = sameBoth
        let falsePositive = sameCluster - sameBoth
        let falseNegative = sameLabel - sameBoth
        let trueNegative = all - sameCluster - falseNegative
        if falsePositive == 0 && falseNegative == 0 { return 1 }
        let numerator = truePositive * trueNegative - falseNegative * falsePositive
        let denominator =
            sameLabel * (falseNegative + trueNegative) + sameCluster * (falsePositive + trueNegative)
        return 2 * Double(numerator) / Double(denominator)
    }

    var fowlkesMallows: Double {
        guard sameBoth > 0 else { return 0 }
        return (Double(sameBoth) / Double(sameLabel)).squareRoot()
            * (Double(sameBoth) / Double(sameCluster)).squareRoot()
    }
}
