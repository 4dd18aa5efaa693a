// How a benchmark is timed and what its line says.

import ArgumentParser
import Foundation
import Tensors

/// The options of all benchmarks.
struct MeasuringOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Threads to compute with; 0 for one a core.", valueName: "threads"))
    var threads = 0

    @Option(help: ArgumentHelp("Runs of which the median counts.", valueName: "runs"))
    var `repeat` = 5

    /// How many threads that is.
    var threadCount: Int { threads > 0 ? threads : ThreadPool.processorCount }

    func validate() throws {
        guard threads >= 0, `repeat` > 0 else { throw ValidationError("--threads and --repeat must be positive.") }
    }

    /// The median of the seconds that a run of `body` takes.
    func median(_ body: () throws -> Void) rethrows -> Double {
        try body()
        var seconds: [Double] = []
        for _ in 0..<`repeat` {
            let start = ContinuousClock.now
            try body()
            let elapsed = ContinuousClock.now - start
            seconds.append(Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18)
        }
        return seconds.sorted()[seconds.count / 2]
    }
}

/// A line's values.
enum Value: Encodable {
    case text(String), integer(Int), number(Double)

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode((value * 100).rounded() / 100)
        }
    }
}

/// Prints a measurement, with what all of them have in common: threads, instruction set and peak resident memory.
func report(_ benchmark: String, threads: Int, _ values: [String: Value]) throws {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    var line = values
    line["benchmark"] = .text(benchmark)
    line["threads"] = .integer(threads)
    line["instructions"] = .text(InstructionSet.best.rawValue)
    line["blas"] = .text(OpenBLAS.coreName)
    // getrusage(2): kilobytes on Linux.
    line["peak_resident_bytes"] = .integer(usage.ru_maxrss * 1024)
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    print(String(decoding: try encoder.encode(line), as: UTF8.self))
}
