// The optimizer's moments on their way out and in.

import NeuralNetwork
import Tensors

extension Adam {
    /// What the two moments of a parameter are called.
    static func names(_ entry: ParameterEntry) -> [String] {
        ["optimizer.m.\(entry.name)", "optimizer.v.\(entry.name)"]
    }

    /// How many updates the moments have seen, where that is not the number of steps: they began after the weights.
    private static let stepName = "optimizer.step"

    /// Both moments of every parameter, in PyTorch's order of axes.
    ///
    /// - Parameter steps: how many steps the weights have been trained for.
    func exported(_ layout: ParameterLayout, steps: UInt64) -> [NamedTensor] {
        let moments = layout.parameters.flatMap { entry in
            zip([firstMoments, secondMoments], Self.names(entry)).map { entry.exported(from: $0, name: $1) }
        }
        if step == steps { return moments }
        return moments + [NamedTensor(name: Self.stepName, shape: [1], elements: .int64([Int64(clamping: step)]))]
    }

    /// Reads what `exported` gave, and changes nothing. A state without any moments is one for assigning: they begin anew.
    ///
    /// - Parameter steps: how many steps the state's weights have been trained for.
    /// - Returns: what puts the values into the moments.
    /// - Throws: `StateMismatch` where a tensor is missing, of another shape, not finite, or a second moment negative.
    func readMoments(_ state: StateReader, _ layout: ParameterLayout, steps: UInt64) throws -> () -> Void {
        guard layout.parameters.contains(where: { entry in Self.names(entry).contains(where: state.has) }) else {
            return { [self] in
                for moments in [firstMoments, secondMoments] { moments.base.update(repeating: 0, count: moments.count) }
                step = 0
            }
        }
        let updates = try state.has(Self.stepName) ? state.count(Self.stepName) : steps
        let values = try layout.parameters.map { entry in
            let names = Self.names(entry)
            let moments = (
                first: try state.finite(names[0], shape: entry.shape),
                second: try state.finite(names[1], shape: entry.shape)
            )
            guard moments.second.allSatisfy({ $0 >= 0 }) else {
                throw StateMismatch("\(names[1]) holds a negative second moment")
            }
            return moments
        }
        return { [self] in
            for (entry, moments) in zip(layout.parameters, values) {
                entry.restore(moments.first, in: firstMoments)
                entry.restore(moments.second, in: secondMoments)
            }
            step = updates
        }
    }
}
