// The optimizer's moments on their way out and in.

import NeuralNetwork
import Tensors

extension Adam {
    /// What the two moments of a parameter are called.
    static func names(_ entry: ParameterEntry) -> [String] {
        ["optimizer.m.\(entry.name)", "optimizer.v.\(entry.name)"]
    }

    /// Both moments of every parameter, in PyTorch's order of axes.
    func exported(_ layout: ParameterLayout) -> [NamedTensor] {
        layout.parameters.flatMap { entry in
            zip([firstMoments, secondMoments], Self.names(entry)).map { entry.exported(from: $0, name: $1) }
        }
    }

    /// Reads what `exported` gave, and changes nothing.
    ///
    /// - Returns: what puts the values into the moments.
    /// - Throws: `StateMismatch` where a tensor is missing, of another shape, not finite, or a second moment negative.
    func readMoments(_ state: StateReader, _ layout: ParameterLayout) throws -> () -> Void {
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
        }
    }
}
