// How well the clusters agree with the labels that senders may give: reported, never trained on.
//
// Kept as counts of (label, cluster), so memory is bounded whatever the length of the stream.

import ContrastiveClustering
import StreamProtocol
import Synchronization

/// Counts of (label, cluster) pairs, over all images and since the last report.
package final class LabelAgreement: Sendable {
    /// Labels told apart; images with further ones are not counted.
    package static let maximumLabels = 1024

    /// How often each cluster went with each label.
    package struct Table: Sendable, Equatable {
        /// One row a label, one column a cluster.
        package var counts: [[Int]] = []
        /// Images counted.
        package var images = 0

        fileprivate mutating func add(row: Int, cluster: Int, clusters: Int) {
            while counts.count <= row { counts.append(Array(repeating: 0, count: clusters)) }
            counts[row][cluster] += 1
            images += 1
        }
    }

    private struct State: Sendable {
        var rows: [Label: Int] = [:]
        var total = Table()
        var recent = Table()
    }

    private let clusters: Int
    private let state = Mutex(State())

    /// Creates empty counts for `clusters` clusters.
    package init(clusters: Int) { self.clusters = clusters }

    /// Counts an image; nothing happens where it has no label.
    package func record(label: Label?, cluster: Int) {
        guard let label else { return }
        state.withLock { state in
            let row = state.rows[label] ?? state.rows.count
            guard row < Self.maximumLabels else { return }
            state.rows[label] = row
            state.total.add(row: row, cluster: cluster, clusters: clusters)
            state.recent.add(row: row, cluster: cluster, clusters: clusters)
        }
    }

    /// The counts since the start.
    package var total: Table { state.withLock { $0.total } }

    /// The counts since the last call.
    package func takeRecent() -> Table {
        state.withLock { state in
            defer { state.recent = Table() }
            return state.recent
        }
    }
}
