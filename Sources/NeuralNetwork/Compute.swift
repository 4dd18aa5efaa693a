// What every operation needs to run: threads, the loops for this processor, and scratch memory.

import CKernels
import Tensors

/// The threads, loops and scratch memory that operations run with. It belongs to one thread at a time.
public final class Compute {
    /// The threads that share the work.
    public let pool: ThreadPool
    /// The instruction set that the loops were compiled for.
    public let instructionSet: InstructionSet
    let kernels: ck_network_kernels
    let winograd: ck_winograd_kernels
    private var scratch: [Arena]
    private var shared = Arena(count: 0)
    private var sums: [Double] = []

    /// Creates an environment with threads of its own.
    ///
    /// - Parameters:
    ///   - threads: how many, the calling one among them.
    ///   - niceness: the scheduling priority of the others.
    public init(threads: Int, niceness: Int = 0, instructionSet: InstructionSet = .best) {
        pool = ThreadPool(threads: threads, niceness: niceness)
        self.instructionSet = instructionSet
        kernels = ck_network(instructionSet.code).pointee
        winograd = ck_winograd(instructionSet.code).pointee
        scratch = (0..<threads).map { _ in Arena(count: 0) }
    }

    /// At least `count` floats for each thread; they keep no values from one operation to the next. Allocates only where an
    /// operation needs more than any before it.
    func reserveScratch(_ count: Int) -> [UnsafeMutablePointer<Float>] {
        for index in scratch.indices where scratch[index].count < count { scratch[index] = Arena(count: count) }
        return scratch.map(\.base)
    }

    /// At least `count` floats, not bound to a thread, beside those of `reserveScratch`.
    func reserveShared(_ count: Int) -> UnsafeMutablePointer<Float> {
        if shared.count < count { shared = Arena(count: count) }
        return shared.base
    }

    /// Divides `rows` rows of `channels` values into tasks of some tens of kilobytes. The division does not depend on the
    /// number of threads, and so neither does what is summed from it.
    func chunks(rows: Int, channels: Int) -> (count: Int, rows: Int) {
        let rowsAChunk = max(1, min(max(16_384 / max(1, channels), 8), rows), (rows + 255) / 256)
        return ((rows + rowsAChunk - 1) / rowsAChunk, rowsAChunk)
    }

    /// Calls `body` for each chunk of rows, on all threads.
    func forEachChunk(rows: Int, channels: Int, _ body: (_ first: Int, _ count: Int) -> Void) {
        let (count, size) = chunks(rows: rows, channels: channels)
        pool.run(count) { task, _ in body(task * size, min(size, rows - task * size)) }
    }

    /// Sums two quantities a channel over all rows: `body` adds those of a chunk to what it is given.
    ///
    /// - Returns: the sums, [channels] each, added up in the order of the chunks.
    func sumChunks(
        rows: Int, channels: Int,
        _ body: (_ first: Int, _ count: Int, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>) -> Void
    ) -> (UnsafePointer<Double>, UnsafePointer<Double>) {
        let (count, size) = chunks(rows: rows, channels: channels)
        let needed = 2 * channels * count
        if sums.count < needed { sums = [Double](repeating: 0, count: needed) }
        return sums.withUnsafeMutableBufferPointer { buffer in
            let base = buffer.baseAddress!
            base.update(repeating: 0, count: needed)
            nonisolated(unsafe) let sums = base
            pool.run(count) { task, _ in
                let own = sums + 2 * channels * task
                body(task * size, min(size, rows - task * size), own, own + channels)
            }
            for task in 1..<max(1, count) {
                for channel in 0..<2 * channels { base[channel] += base[2 * channels * task + channel] }
            }
            return (UnsafePointer(base), UnsafePointer(base + channels))
        }
    }
}
