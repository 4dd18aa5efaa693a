// The weights of bilinear resampling with anti-aliasing along one axis, as Pillow computes them
// (Resample.c, precompute_coeffs): a triangle as wide as the reduction, cut off at the ends and normalised.

import CKernels

/// Which inputs each output of one axis is made of.
struct Resampling {
    /// Inputs of each output.
    let taps: Int
    /// The first input of each output, never decreasing.
    let first: [UInt32]
    /// [outputs, taps], each row summing to 1.
    let weights: [Float]

    /// Weights for making `outputs` samples of `inputs`.
    init(inputs: Int, outputs: Int) {
        precondition(inputs > 0 && outputs > 0)
        let scale = Double(inputs) / Double(outputs)
        let support = max(scale, 1), slope = 1 / support
        func reach(_ output: Int) -> (center: Double, range: Range<Int>) {
            let center = (Double(output) + 0.5) * scale
            return (center, max(Int(center - support + 0.5), 0)..<min(Int(center + support + 0.5), inputs))
        }
        let taps = (0..<outputs).reduce(0) { max($0, reach($1).range.count) }

        var first = [UInt32](repeating: 0, count: outputs)
        weights = [Float](unsafeUninitializedCapacity: outputs * taps) { weights, count in
            weights.initialize(repeating: 0)
            for output in 0..<outputs {
                let (center, range) = reach(output)
                // Fewer inputs than taps: leading or trailing weights stay 0, and no input past the last is touched.
                let start = min(range.lowerBound, inputs - taps)
                first[output] = UInt32(start)
                func weight(_ input: Int) -> Double { max(1 - abs((Double(input) - center + 0.5) * slope), 0) }
                var sum = 0.0
                for input in range { sum += weight(input) }
                // In whole 2^-22, as Pillow has them: they decide which way the many sums that are ties are rounded.
                let unit = 0x1p22 / sum
                for input in range {
                    weights[output * taps + input - start] = Float(Int32(weight(input) * unit + 0.5)) * 0x1p-22
                }
            }
            count = outputs * taps
        }
        self.first = first
        self.taps = taps
    }

    /// Calls `body` with the form in which the kernels take weights.
    func withKernelForm(_ body: (UnsafePointer<ck_resampling>) -> Void) {
        first.withUnsafeBufferPointer { first in
            weights.withUnsafeBufferPointer { weights in
                var form = ck_resampling(
                    count: first.count, taps: taps, first: first.baseAddress, weight: weights.baseAddress)
                body(&form)
            }
        }
    }
}
