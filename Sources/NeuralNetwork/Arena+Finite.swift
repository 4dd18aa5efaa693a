// Whether values are numbers: one pass over them, on all threads.

import Tensors

extension Arena {
    /// Whether no value is an infinity or no number at all.
    public func isFinite(_ compute: Compute) -> Bool {
        // Without its sign, a finite number's bit pattern is below infinity's; a maximum of integers is fast.
        let bits = UnsafeRawPointer(base).assumingMemoryBound(to: UInt32.self)
        let limit = Float.infinity.bitPattern
        let parts = 64
        let size = (count + parts - 1) / parts
        let largest = UnsafeMutablePointer<UInt32>.allocate(capacity: parts)
        defer { largest.deallocate() }
        compute.pool.run(parts) { part, _ in
            var maximum: UInt32 = 0
            for index in min(part * size, count)..<min((part + 1) * size, count) {
                maximum = max(maximum, bits[index] & 0x7FFF_FFFF)
            }
            largest[part] = maximum
        }
        return (0..<parts).allSatisfy { largest[$0] < limit }
    }
}
