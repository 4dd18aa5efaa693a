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

    private struct State: Sendable {
        var rows: [Label: Int] = [:]
        var total = ContingencyTable()
        var recent = ContingencyTable()
    }

    private let state = Mutex(State())

    /// Creates empty counts.
    package init() {}

    /// Counts an image; nothing happens where it has no label.
    package func record(label: Label?, cluster: Int) {
        guard let label else { return }
        state.withLock { state in
            let row = state.rows[label] ?? state.rows.count
            guard row < Self.maximumLabels else { return }
            state.rows[label] = row
            state.total.add(row: row, column: cluster)
            state.recent.add(row: row, column: cluster)
        }
    }

    /// The counts since the start.
    package var total: ContingencyTable { state.withLock { $0.total } }

    /// The labels in the order of the tables' rows.
    package var labels: [Label] {
        state.withLock { state in state.rows.sorted { $0.value < $1.value }.map(\.key) }
    }

    /// Starts counting anew: cluster numbers mean something else from now on.
    package func restart() {
        state.withLock { state in
            state.total = ContingencyTable()
            state.recent = ContingencyTable()
        }
    }

    /// The counts since the last call.
    package func takeRecent() -> ContingencyTable {
        state.withLock { state in
            defer { state.recent = ContingencyTable() }
            return state.recent
        }
    }
}
