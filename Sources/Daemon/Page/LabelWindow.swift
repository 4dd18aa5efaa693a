// How clusters and labels have gone together in the last minute: the difference of two counts since the start.

import ContrastiveClustering
import StreamProtocol

/// The counts of the last minute.
package struct LabelWindow: Sendable {
    /// Seconds looked back on.
    private static let seconds = 60.0
    /// Counts beyond which nothing is said: scores take a time that grows with the cube of the number of clusters.
    private static let largestTable = 16_384
    /// Images without which no score is given.
    private static let evidence = 50

    private var before: [(time: MonotonicTime, table: ContingencyTable)] = []
    /// The counts; nil where there are no labels or too many.
    package private(set) var recent: ContingencyTable?
    /// How well they agree.
    package private(set) var scores: ClusteringScores?

    /// Creates a window without a count.
    package init() {}

    /// Looks at the counts since the start.
    package mutating func update(_ total: ContingencyTable, now: MonotonicTime = .now) {
        guard total.images > 0, total.counts.count * total.columns <= Self.largestTable else {
            self = LabelWindow()
            return
        }
        // Counted anew: cluster numbers mean something else.
        if let last = before.last, last.table.images > total.images { before = [] }
        before.append((now, total))
        while before.count > 1, now.seconds(since: before[1].time) >= Self.seconds { before.removeFirst() }
        let table = before.count > 1 ? Self.difference(total, before[0].table) : total
        recent = table
        scores = table.images >= Self.evidence ? ClusteringScores(table) : nil
    }

    private static func difference(_ later: ContingencyTable, _ earlier: ContingencyTable) -> ContingencyTable {
        ContingencyTable(
            counts: later.counts.enumerated().map { row, counts in
                let old = row < earlier.counts.count ? earlier.counts[row] : []
                return counts.enumerated().map { column, count in
                    max(0, count - (column < old.count ? old[column] : 0))
                }
            })
    }
}
