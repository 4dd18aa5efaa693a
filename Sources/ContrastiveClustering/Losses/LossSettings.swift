// Which losses count, and how sharply they tell rows apart.

/// Which heads are trained.
public enum Heads: String, Sendable, CaseIterable {
    /// Both, the paper's way.
    case both
    /// The instance head alone; k-means on the features gives the clusters.
    case instance
    /// The cluster head alone.
    case cluster
}

/// The settings of the losses; the defaults are the paper's.
package struct LossSettings: Sendable, Equatable {
    /// The heads whose losses count; those of the others are 0.
    package var heads: Heads
    /// τ_I, positive.
    package var instanceTemperature: Float
    /// τ_C, positive.
    package var clusterTemperature: Float

    /// Creates settings.
    package init(heads: Heads = .both, instanceTemperature: Float = 0.5, clusterTemperature: Float = 1) {
        self.heads = heads
        self.instanceTemperature = instanceTemperature
        self.clusterTemperature = clusterTemperature
    }
}
