// A model's weights and running statistics in memory, and their way in and out as named tensors.

import Tensors

/// The values of all arrays of a layout.
public final class ModelWeights {
    /// Which value is whose.
    public let layout: ParameterLayout
    /// The trained values.
    public let parameters: Arena
    /// The running statistics.
    public let statistics: Arena

    /// Allocates values for `layout`, all zero.
    public init(_ layout: ParameterLayout) {
        self.layout = layout
        parameters = Arena(count: layout.parameterCount)
        statistics = Arena(count: layout.statisticCount)
    }

    /// All values, parameters first, in the layout's own order: to be handed to other weights of the same layout.
    public var flattened: [Float] {
        [Float](unsafeUninitializedCapacity: parameters.count + statistics.count) { buffer, count in
            let base = buffer.baseAddress!
            base.initialize(from: parameters.base, count: parameters.count)
            (base + parameters.count).initialize(from: statistics.base, count: statistics.count)
            count = parameters.count + statistics.count
        }
    }

    /// Takes all values from what `flattened` gave.
    public func restore(flattened values: [Float]) {
        precondition(values.count == parameters.count + statistics.count, "weights of another layout")
        values.withUnsafeBufferPointer { buffer in
            parameters.base.update(from: buffer.baseAddress!, count: parameters.count)
            statistics.base.update(from: buffer.baseAddress! + parameters.count, count: statistics.count)
        }
    }

    /// All arrays under their PyTorch names and in PyTorch's order of axes.
    public func exported() -> [NamedTensor] {
        layout.parameters.map { $0.exported(from: parameters, name: $0.name) }
            + layout.statistics.map { $0.exported(from: statistics, name: $0.name) }
    }
}

extension ParameterEntry {
    /// The entry's values in PyTorch's order of axes.
    public func exported(from arena: Arena, name: String) -> NamedTensor {
        let values = UnsafeBufferPointer(start: arena.base + offset, count: count)
        guard isConvolution else { return NamedTensor(name: name, shape: shape, elements: .float32(Array(values))) }
        let (outputs, inputs, area) = (shape[0], shape[1], shape[2] * shape[3])
        let elements = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            Self.forEachPlace(outputs: outputs, inputs: inputs, area: area) { buffer[$0] = values[$1] }
            initialized = count
        }
        return NamedTensor(name: name, shape: shape, elements: .float32(elements))
    }

    /// Takes the entry's values from PyTorch's order of axes; `values` must have `count` of them.
    public func restore(_ values: [Float], in arena: Arena) {
        precondition(values.count == count)
        let to = arena.base + offset
        guard isConvolution else {
            values.withUnsafeBufferPointer { to.update(from: $0.baseAddress!, count: count) }
            return
        }
        let (outputs, inputs, area) = (shape[0], shape[1], shape[2] * shape[3])
        values.withUnsafeBufferPointer { values in
            Self.forEachPlace(outputs: outputs, inputs: inputs, area: area) { to[$1] = values[$0] }
        }
    }

    /// Calls `body` for each value of a convolution's weight with its place in PyTorch's order and in ours: a cache line of
    /// outputs at a time, so that neither side is read or written a value a line.
    @inline(__always)
    private static func forEachPlace(outputs: Int, inputs: Int, area: Int, _ body: (Int, Int) -> Void) {
        for first in stride(from: 0, to: outputs, by: 16) {
            let end = min(first + 16, outputs)
            for i in 0..<inputs {
                for k in 0..<area {
                    for o in first..<end { body((o * inputs + i) * area + k, (k * inputs + i) * outputs + o) }
                }
            }
        }
    }
}
