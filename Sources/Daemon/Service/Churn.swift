// How many of the remembered images changed cluster from one checkpoint to the next.

/// Two models' opinions of the same images, compared.
package struct Churn: Sendable, Equatable {
    /// Images that both were asked about.
    package var images: Int
    /// Those of them that the two put into different clusters.
    package var changed: Int

    /// Compares the clusters that two models gave to the same images; of lists of different length the common beginning.
    package init(from before: [Int], to after: [Int]) {
        images = min(before.count, after.count)
        changed = zip(before, after).count { $0 != $1 }
    }

    /// The share of images that changed, in 0 ... 1; nil without images.
    package var share: Double? { images > 0 ? Double(changed) / Double(images) : nil }
}
