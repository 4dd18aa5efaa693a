// Memory that has done its work goes back to the system, so that a daemon does not grow from day to day.

import CMalloc

/// What the C library does with large blocks: pictures, messages, and tensors on their way into checkpoints.
package enum LargeBlocks {
    /// From this size on a block has pages of its own: mallopt(3), `M_MMAP_THRESHOLD`.
    private static let size: Int32 = 256 << 10

    /// Has each large block given back when it is freed.
    ///
    /// By itself glibc moves the limit up to 32 MiB as such blocks are freed, and puts the next ones into the heaps of its
    /// threads, where the smallest block behind them keeps hundreds of megabytes.
    package static func giveBackWhenFreed() { mallopt(M_MMAP_THRESHOLD, size) }
}
