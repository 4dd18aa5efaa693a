// What `evaluate` finds: how the images spread over the clusters, and how well that agrees with their labels.

import ContrastiveClustering
import Datasets
import Foundation
import StreamProtocol

/// The outcome of assigning a whole collection.
package struct EvaluationReport: Sendable, Equatable, Encodable {
    /// Images assigned.
    package let images: Int
    /// Images left out because they could not be read.
    package let unreadable: Int
    /// Images in each cluster.
    package let clusterSizes: [Int]
    /// Different labels; scores need two or more.
    package let labels: Int
    /// The agreement of clusters and labels, where there are labels to agree with.
    package let scores: ClusteringScores?

    /// Assigns every image of a collection.
    ///
    /// - Parameters:
    ///   - clusters: how many clusters the learner has.
    ///   - onFailure: is told of each image that is left out.
    ///   - onProgress: is told now and then how many images are done; returns whether to go on.
    /// - Returns: nil where `onProgress` ended it.
    package init?(
        _ learner: any Learner, clusters: Int, on batches: ImageBatches,
        onFailure: (ImageBatches.Failure) -> Void = { _ in },
        onProgress: (_ done: Int) -> Bool = { _ in true }
    ) {
        let collection = batches.collection
        var sizes = Array(repeating: 0, count: clusters)
        var rows: [Label: Int] = [:]
        var table = ContingencyTable()
        var failures = 0
        for start in stride(from: 0, to: collection.count, by: Self.chunk) {
            guard onProgress(start) else { return nil }
            let loaded = batches.load(start..<min(start + Self.chunk, collection.count))
            loaded.failures.forEach(onFailure)
            failures += loaded.failures.count
            let assignments = learner.assign(loaded.images.map(\.image), embedding: .none)
            for (image, assignment) in zip(loaded.images, assignments) {
                sizes[assignment.cluster] += 1
                guard let label = try? collection.label(at: image.index) else { continue }
                let row = rows[label, default: rows.count]
                rows[label] = row
                table.add(row: row, column: assignment.cluster)
            }
        }
        guard onProgress(collection.count) else { return nil }
        images = sizes.reduce(0, +)
        unreadable = failures
        clusterSizes = sizes
        labels = rows.count
        scores = rows.count > 1 ? ClusteringScores(table) : nil
    }

    /// Images read at a time.
    private static let chunk = 256

    // MARK: As JSON

    private enum CodingKeys: String, CodingKey {
        case n, unreadable, clusters, labels, nmi, acc, ari
        case fowlkesMallows = "fowlkes_mallows"
        case clusterSizes = "cluster_sizes"
    }

    /// Writes `n`, `nmi`, `acc`, `ari`, `fowlkes_mallows`, `labels`, `cluster_sizes`, `clusters` and `unreadable`; without
    /// labels the scores are left out.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(images, forKey: .n)
        try container.encode(unreadable, forKey: .unreadable)
        try container.encode(clusterSizes.count, forKey: .clusters)
        try container.encode(clusterSizes, forKey: .clusterSizes)
        try container.encode(labels, forKey: .labels)
        try container.encodeIfPresent(scores?.normalizedMutualInformation, forKey: .nmi)
        try container.encodeIfPresent(scores?.accuracy, forKey: .acc)
        try container.encodeIfPresent(scores?.adjustedRandIndex, forKey: .ari)
        try container.encodeIfPresent(scores?.fowlkesMallows, forKey: .fowlkesMallows)
    }

    // MARK: As text

    /// The scores on one line, such as `NMI 0.572  ACC 0.617  ARI 0.453`; empty without labels.
    package var scoreLine: String {
        guard let scores else { return "" }
        return String(
            format: "NMI %.3f  ACC %.3f  ARI %.3f", scores.normalizedMutualInformation, scores.accuracy,
            scores.adjustedRandIndex)
    }

    /// Lines for people.
    package var lines: [String] {
        var lines = ["images         \(images)" + (unreadable > 0 ? " (\(unreadable) more could not be read)" : "")]
        if let scores {
            lines += [
                "labels         \(labels)",
                String(format: "NMI            %.4f", scores.normalizedMutualInformation),
                String(format: "ACC            %.4f", scores.accuracy),
                String(format: "ARI            %.4f", scores.adjustedRandIndex),
            ]
        } else {
            lines.append("labels         none to compare with: NMI, ACC and ARI need two or more")
        }
        let total = Double(max(1, images))
        for (cluster, size) in clusterSizes.enumerated() {
            let name = "cluster \(cluster)".padding(toLength: 15, withPad: " ", startingAt: 0)
            lines.append(name + String(format: "%d (%.1f%%)", size, 100 * Double(size) / total))
        }
        return lines
    }
}
