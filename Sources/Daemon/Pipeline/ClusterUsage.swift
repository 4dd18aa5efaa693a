// How images spread over the clusters, and whether the model has collapsed: whether nearly all go to one.
//
// It is told and nothing else follows from it: a camera that looks at one thing has all its images in one cluster.

import Foundation
import Logging
import Synchronization

/// Counts of images by cluster; thread-safe.
package final class ClusterUsage: Sendable {
    /// Images looked back on.
    package static let window = 4096
    /// Images without which nothing is said of a collapse.
    package static let evidence = 256
    /// The share of one cluster from which on the model counts as collapsed.
    package static let largestHealthyShare = 0.95
    /// The entropy below which it does, in terms of that of clusters used evenly.
    package static let smallestHealthyEntropy = 0.1

    /// The counts at a moment.
    package struct Snapshot: Sendable {
        /// Images of each cluster since its number has its meaning.
        package var sizes: [UInt64]
        /// Those of the images looked back on.
        package var recent: [Int]

        /// Images looked back on.
        package var recentImages: Int { recent.reduce(0, +) }

        /// The largest cluster's share of the recent images; nil without images.
        package var largestShare: Double? {
            recentImages > 0 ? Double(recent.max() ?? 0) / Double(recentImages) : nil
        }

        /// The entropy of the recent images' distribution over clusters, 1 where all are used evenly; nil without images.
        package var entropy: Double? {
            let total = Double(recentImages)
            guard total > 0 else { return nil }
            let nats = recent.reduce(0.0) { $0 - ($1 > 0 ? Double($1) / total * log(Double($1) / total) : 0) }
            return nats / log(Double(recent.count))
        }

        /// Whether nearly all recent images went to one cluster, or to very few of many.
        package var isCollapsed: Bool {
            guard recentImages >= ClusterUsage.evidence, let largestShare, let entropy else { return false }
            return largestShare >= ClusterUsage.largestHealthyShare || entropy < ClusterUsage.smallestHealthyEntropy
        }
    }

    fileprivate struct State: Sendable {
        var snapshot: Snapshot
        /// The clusters of the recent images, a ring once it is full.
        var ring: [Int] = []
        var next = 0
        var sinceCheck = 0
        var wasCollapsed = false
    }

    private let state: Mutex<State>
    private let logger: Logger

    /// Creates counts of zero.
    package init(clusters: Int, logger: Logger) {
        precondition(clusters > 1)
        state = Mutex(
            State(
                snapshot: Snapshot(
                    sizes: Array(repeating: 0, count: clusters), recent: Array(repeating: 0, count: clusters))))
        self.logger = logger
    }

    /// Counts the clusters of images, and logs where the model collapses or recovers.
    package func record(_ clusters: some Sequence<Int>) {
        let change: Snapshot? = state.withLock { state in
            for cluster in clusters { state.add(cluster) }
            guard state.sinceCheck >= Self.evidence else { return nil }
            state.sinceCheck = 0
            let isCollapsed = state.snapshot.isCollapsed
            defer { state.wasCollapsed = isCollapsed }
            return isCollapsed == state.wasCollapsed ? nil : state.snapshot
        }
        guard let change, let share = change.largestShare, let entropy = change.entropy else { return }
        let numbers: Logger.Metadata = ["largest_share": "\(share)", "entropy": "\(entropy)"]
        if change.isCollapsed {
            logger.warning("nearly all images go to one cluster: the model may have collapsed", metadata: numbers)
        } else {
            logger.notice("images go to several clusters again", metadata: numbers)
        }
    }

    /// Starts counting anew: the numbers mean something else from now on.
    package func restart() {
        state.withLock { state in
            let zeros = state.snapshot.recent.map { _ in 0 }
            state = State(snapshot: Snapshot(sizes: zeros.map { UInt64($0) }, recent: zeros))
        }
    }

    /// The counts at this moment.
    package var snapshot: Snapshot { state.withLock { $0.snapshot } }
}

extension ClusterUsage.State {
    fileprivate mutating func add(_ cluster: Int) {
        snapshot.sizes[cluster] += 1
        snapshot.recent[cluster] += 1
        sinceCheck += 1
        if ring.count < ClusterUsage.window {
            ring.append(cluster)
            return
        }
        snapshot.recent[ring[next]] -= 1
        ring[next] = cluster
        next = (next + 1) % ring.count
    }
}
