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
    let direct: ck_direct_kernels
    private var scratch: [Arena]
    private var shared: [SharedScratch: Arena] = [:]
    private var sums = Arena(count: 0)

    /// What scratch memory that is not bound to a thread is for; each use has its own.
    enum SharedScratch {
        case weights, partialSums, rectified, factors, constants
    }

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
        direct = ck_direct(instructionSet.code).pointee
        scratch = (0..<threads).map { _ in Arena(count: 0) }
    }

    /// At least `count` floats for each thread; they keep no values from one operation to the next. Allocates only where an
    /// operation needs more than any before it.
    func reserveScratch(_ count: Int) -> [UnsafeMutablePointer<Float>] {
        for index in scratch.indices where scratch[index].count < count { scratch[index] = Arena(count: count) }
        return scratch.map(\.base)
    }

    /// At least `count` floats, not bound to a thread, that keep no values from one operation to the next.
    func reserveShared(_ use: SharedScratch, _ count: Int) -> UnsafeMutablePointer<Float> {
        if let arena = shared[use], arena.count >= count { return arena.base }
        let arena = Arena(count: count)
        shared[use] = arena
        return arena.base
    }

    /// Divides `rows` rows of `channels` values into tasks of some tens of kilobytes. The division does not depend on the
    /// number of threads, and so neither does what is summed from it.
    private func chunks(rows: Int, channels: Int) -> (count: Int, rows: Int) {
        let rowsAChunk = max(1, min(max(16_384 / max(1, channels), 8), rows), (rows + 255) / 256)
        return ((rows + rowsAChunk - 1) / rowsAChunk, rowsAChunk)
    }

    /// Calls `body` for each chunk of rows, on all threads.
    func forEachChunk(rows: Int, channels: Int, _ body: (_ first: Int, _ count: Int, _ thread: Int) -> Void) {
        let (count, size) = chunks(rows: rows, channels: channels)
        pool.run(count) { task, thread in body(task * size, min(size, rows - task * size), thread) }
    }

    /// Sums two quantities a channel over each group of rows: `body` adds those of a chunk to what it is given.
    ///
    /// - Returns: the sums, [groups, 2, channels], added up in the order of the chunks; valid until the next sums.
    func sumChunks(
        rows: Int, channels: Int, groups: Int,
        _ body: (
            _ group: Int, _ first: Int, _ count: Int, _ thread: Int, UnsafeMutablePointer<Double>,
            UnsafeMutablePointer<Double>
        ) -> Void
    ) -> UnsafePointer<Double> {
        let (count, size) = chunks(rows: rows / groups, channels: channels)
        let partial = reserveSums((count + 1) * groups * 2 * channels)
        let totals = partial + count * groups * 2 * channels
        partial.update(repeating: 0, count: (count + 1) * groups * 2 * channels)
        pool.run(groups * count) { task, thread in
            let (group, chunk) = task.quotientAndRemainder(dividingBy: count)
            let own = partial + 2 * channels * task
            body(group, chunk * size, min(size, rows / groups - chunk * size), thread, own, own + channels)
        }
        for group in 0..<groups {
            for chunk in 0..<count {
                let from = partial + 2 * channels * (group * count + chunk), to = totals + 2 * channels * group
                for channel in 0..<2 * channels { to[channel] += from[channel] }
            }
        }
        return UnsafePointer(totals)
    }

    /// Adds up float sums [tasks, size], in the order of the tasks.
    ///
    /// - Returns: the sums, [size]; valid until the next sums.
    func total(_ partial: UnsafePointer<Float>, tasks: Int, size: Int) -> UnsafePointer<Double> {
        let totals = reserveSums(size)
        totals.update(repeating: 0, count: size)
        for task in 0..<tasks {
            for index in 0..<size { totals[index] += Double(partial[task * size + index]) }
        }
        return UnsafePointer(totals)
    }

    private func reserveSums(_ count: Int) -> UnsafeMutablePointer<Double> {
        if sums.count < 2 * count { sums = Arena(count: 2 * count) }
        return UnsafeMutableRawPointer(sums.base).bindMemory(to: Double.self, capacity: count)
    }
}
