// Weights on their way from the learner that trains to the learner that assigns.

/// An immutable copy of a model's weights and running statistics.
public final class WeightSnapshot: Sendable {
    /// How many steps these weights have been trained for.
    public let step: UInt64
    /// Every parameter and running statistic, in the model's own order and layout.
    public let values: [Float]

    /// Creates a snapshot.
    public init(step: UInt64, values: [Float]) {
        self.step = step
        self.values = values
    }
}
