// Where each weight of a model lies: all of them in one flat array, the running statistics in another.
//
// Names and shapes are those of the authors' PyTorch model. In memory a convolution's weight is [kH, kW, I, O], the
// transpose of PyTorch's [O, I, kH, kW], so that it is the right-hand matrix of a product; all others lie as in PyTorch.

import Tensors

/// A named array of a model.
public struct ParameterEntry: Sendable, Equatable {
    /// The name in PyTorch's `state_dict`.
    public let name: String
    /// The extents in PyTorch's order.
    public let shape: [Int]
    /// The position of the first value among those of its kind.
    public let offset: Int

    /// How many values there are.
    public var count: Int { shape.reduce(1, *) }

    /// Whether the values lie in another order than PyTorch's.
    var isConvolution: Bool { shape.count == 4 }

    /// The extents in memory.
    var storedShape: [Int] { isConvolution ? [shape[2], shape[3], shape[1], shape[0]] : shape }

    /// The entry's values among all of its kind.
    public func tensor(in arena: Arena) -> Tensor { Tensor(arena.base + offset, storedShape) }
}

/// The arrays of a model, in the order in which its layers were declared.
public struct ParameterLayout: Sendable {
    /// What is trained.
    public private(set) var parameters: [ParameterEntry] = []
    /// Running means and variances.
    public private(set) var statistics: [ParameterEntry] = []
    private var parameterPlan = ArenaPlan()
    private var statisticPlan = ArenaPlan()

    /// Creates a layout of no arrays.
    public init() {}

    /// Floats that all parameters take, gaps for alignment among them.
    public var parameterCount: Int { parameterPlan.count }
    /// Floats that all statistics take.
    public var statisticCount: Int { statisticPlan.count }

    /// Declares an array that is trained.
    public mutating func addParameter(_ name: String, _ shape: [Int]) -> ParameterEntry {
        let entry = ParameterEntry(name: name, shape: shape, offset: parameterPlan.reserve(shape.reduce(1, *)))
        parameters.append(entry)
        return entry
    }

    /// Declares a running statistic.
    public mutating func addStatistic(_ name: String, _ shape: [Int]) -> ParameterEntry {
        let entry = ParameterEntry(name: name, shape: shape, offset: statisticPlan.reserve(shape.reduce(1, *)))
        statistics.append(entry)
        return entry
    }
}
