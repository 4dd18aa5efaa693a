// Throughput and memory of the engine: a line of JSON a measurement, to be compared with a peer measured in the same run.

import ArgumentParser
import Tensors

/// The root command.
@main
struct ClusterdBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clusterd-bench",
        abstract: "Measures the engine's speed and memory, a line of JSON a measurement.",
        discussion: """
            Each figure is the median of --repeat runs after one that is not counted. Images are random; no step \
            depends on what they show. docs/performance.md says how the figures compare with PyTorch's.
            """,
        subcommands: [
            TrainBenchmark.self, InferBenchmark.self, ConvolutionBenchmark.self, AugmentBenchmark.self,
            DecodeBenchmark.self,
        ])

    static func main() {
        OpenBLAS.restartForWideVectors()
        main(nil)
    }
}
