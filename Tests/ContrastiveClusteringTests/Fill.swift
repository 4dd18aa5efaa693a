// The numbers of `fill` in Fixtures/cc_reference.py: a counter-based generator, so that fixtures need not carry weights
// and inputs.

/// `count` uniform values in [−scale, scale), the same as `fill(shape, name, scale)` gives in row-major order.
func fill(_ count: Int, name: String, scale: Float) -> [Float] {
    // FNV-1a of the name is the key.
    let key = name.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    return (1...UInt64(count)).map { index in
        // SplitMix64's finaliser.
        var x = key &+ index &* 0x9E37_79B9_7F4A_7C15
        x = (x ^ (x >> 30)) &* 0xBF58_476D_1CE4_E5B9
        x = (x ^ (x >> 27)) &* 0x94D0_49BB_1331_11EB
        x ^= x >> 31
        return (Float(x >> 40) * 0x1p-23 - 1) * scale
    }
}
