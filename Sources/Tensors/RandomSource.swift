// The engine's random numbers: xoshiro256++ (Blackman and Vigna 2019), seeded through SplitMix64.
//
// A value type: whoever draws owns the state, so a run is reproducible from its seed, and independent streams
// (one an image and view) do not depend on which thread draws first.

import Foundation

/// A seeded generator of random numbers with a state that can be saved.
public struct RandomSource: RandomNumberGenerator, Sendable, Equatable {
    /// The four words of state; all of it that a later run needs to go on.
    public private(set) var state: (UInt64, UInt64, UInt64, UInt64)

    /// Creates a generator from `seed`; further words, such as a step, an index and a view, select an independent stream.
    public init(seed: UInt64, stream: UInt64...) {
        var mixer = seed
        for word in stream { mixer = Self.mix(&mixer) ^ word }
        state = (Self.mix(&mixer), Self.mix(&mixer), Self.mix(&mixer), Self.mix(&mixer))
    }

    /// One step of SplitMix64.
    private static func mix(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// 64 random bits.
    public mutating func next() -> UInt64 {
        func rotate(_ x: UInt64, _ k: UInt64) -> UInt64 { (x << k) | (x >> (64 - k)) }
        let result = rotate(state.0 &+ state.3, 23) &+ state.0
        let t = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= t
        state.3 = rotate(state.3, 45)
        return result
    }

    /// A number in [0, 1) with 24 random bits.
    public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

    /// A number in [`range.lowerBound`, `range.upperBound`].
    public mutating func uniform(in range: ClosedRange<Float>) -> Float {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
    }

    /// A number from the standard normal distribution (Box and Muller 1958).
    public mutating func normal() -> Float {
        let u = Double(next() >> 11) * 0x1p-53, v = Double(next() >> 11) * 0x1p-53
        return Float((-2 * log(1 - u)).squareRoot() * cos(2 * .pi * v))
    }

    /// Whether two generators will draw the same numbers.
    public static func == (a: RandomSource, b: RandomSource) -> Bool { a.state == b.state }
}
