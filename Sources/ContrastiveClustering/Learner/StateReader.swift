// A learner's state on its way in: every tensor is looked up by name and checked before anything is changed.

import Tensors

/// The tensors of a state, by name.
struct StateReader {
    private let tensors: [String: NamedTensor]

    /// Reads the tensors of `state`.
    ///
    /// - Throws: `StateMismatch` where two have the same name.
    init(_ state: LearnerState) throws {
        tensors = try Dictionary(state.tensors.map { ($0.name, $0) }) { first, _ in
            throw StateMismatch("two tensors are called \(first.name)")
        }
    }

    /// Whether there is a tensor of this name.
    func has(_ name: String) -> Bool { tensors[name] != nil }

    /// The values of the float32 tensor `name`, which must have exactly `shape`.
    private func floats(_ name: String, shape: [Int]) throws -> [Float] {
        let (found, values) = try floats(name)
        guard found == shape else { throw StateMismatch("\(name) has shape \(found); this model's is \(shape)") }
        return values
    }

    /// The values of the float32 tensor `name`, which must have exactly `shape` and be finite.
    func finite(_ name: String, shape: [Int]) throws -> [Float] {
        let values = try floats(name, shape: shape)
        guard values.allSatisfy(\.isFinite) else { throw StateMismatch("\(name) holds values that are not finite") }
        return values
    }

    /// The values of the float32 tensor `name`, which must have rows of `columns` values.
    func floats(_ name: String, columns: Int) throws -> [Float] {
        let (found, values) = try floats(name)
        guard found.count == 2, found[1] == columns else {
            throw StateMismatch("\(name) has shape \(found); this model's is [n, \(columns)]")
        }
        return values
    }

    /// The whole number, 0 or more, that the int64 tensor `name` is.
    func count(_ name: String) throws -> UInt64 {
        guard case .int64(let values)? = tensors[name]?.elements, values.count == 1,
            let count = UInt64(exactly: values[0])
        else { throw StateMismatch("\(name) is not a whole number") }
        return count
    }

    private func floats(_ name: String) throws -> (shape: [Int], values: [Float]) {
        guard let tensor = tensors[name] else { throw StateMismatch("there is no tensor \(name)") }
        guard case .float32(let values) = tensor.elements else {
            throw StateMismatch("\(name) does not hold float32 values")
        }
        return (tensor.shape, values)
    }
}
