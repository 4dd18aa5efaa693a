// One block of memory for a family of tensors, planned before it is allocated: nothing is allocated during a step.

import Glibc

/// A block of float32 values, aligned to a page's cache lines and zero at first.
public final class Arena: @unchecked Sendable {
    // Unchecked: who writes where is the matter of whoever shares it out.

    /// How many floats the block holds.
    public let count: Int
    /// The block's first float.
    public let base: UnsafeMutablePointer<Float>

    /// Allocates `count` floats, all zero. Pages that are never touched take no memory.
    public init(count: Int) {
        precondition(count >= 0)
        self.count = count
        let bytes = max(1, count) * MemoryLayout<Float>.stride
        let rounded = (bytes + 4095) / 4096 * 4096
        // mmap(2) gives zeroed pages without touching them.
        let block = mmap(nil, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        precondition(block != MAP_FAILED, "out of memory: \(rounded) bytes for tensors")
        madvise(block, rounded, MADV_HUGEPAGE)
        base = block!.bindMemory(to: Float.self, capacity: rounded / MemoryLayout<Float>.stride)
    }

    deinit { munmap(base, (max(1, count) * MemoryLayout<Float>.stride + 4095) / 4096 * 4096) }

    /// The values as an array.
    public var values: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }
}

/// Collects the sizes of tensors that will share an arena.
public struct ArenaPlan: Sendable {
    /// Floats needed so far.
    public private(set) var count = 0

    /// Creates an empty plan.
    public init() {}

    /// Sets `size` floats aside, on a cache line of their own.
    ///
    /// - Returns: the offset of the first of them.
    public mutating func reserve(_ size: Int) -> Int {
        precondition(size >= 0)
        defer { count += (size + 15) / 16 * 16 }
        return count
    }
}
