// Single 3x3 convolutions, by default those of a ResNet's four stages at 224 pixels, in all three directions.

import ArgumentParser
import NeuralNetwork
import Tensors

/// `clusterd-bench convolution`.
struct ConvolutionBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convolution",
        abstract: "3x3 convolutions, forward and both gradients, in effective GFLOP/s of the definition.")

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Channels of input and output.", valueName: "channels"))
    var channels = [64, 128, 256, 512]

    @Option(help: ArgumentHelp("Images.", valueName: "images"))
    var batch = 32

    @Option(help: ArgumentHelp("Side of the images at 64 channels; halved as channels double.", valueName: "pixels"))
    var side = 56

    @OptionGroup var measuring: MeasuringOptions

    func validate() throws {
        guard batch > 0, side > 0, channels.allSatisfy({ $0 > 0 }) else {
            throw ValidationError("--channels, --batch and --side must be positive.")
        }
    }

    func run() throws {
        let compute = Compute(threads: measuring.threadCount)
        for channels in channels {
            let side = max(1, side * 64 / channels)
            let shape = [batch, side, side, channels], kernel = [3, 3, channels, channels]
            let arenas = [shape, shape, kernel, kernel].map { Arena(count: $0.reduce(1, *)) }
            let x = Tensor(arenas[0].base, shape), y = Tensor(arenas[1].base, shape)
            let weight = Tensor(arenas[2].base, kernel), dWeight = Tensor(arenas[3].base, kernel)
            [x, y, weight].forEach(fill)
            let window = Window(kernel: 3, padding: 1)
            let work = 2e-9 * Double(batch * side * side) * Double(9 * channels * channels)
            let directions: [(String, () -> Void)] = [
                ("forward", { convolution(y, x, weight: weight, window, compute) }),
                ("backward-data", { convolutionBackwardData(x, y, weight: weight, window, compute) }),
                ("backward-weights", { convolutionBackwardWeight(dWeight, x, y, window, compute) }),
            ]
            for (direction, body) in directions {
                let seconds = measuring.median(body)
                try report(
                    "convolution", threads: measuring.threadCount,
                    [
                        "direction": .text(direction), "channels": .integer(channels), "side": .integer(side),
                        "batch": .integer(batch), "gflop_per_s": .number(work / seconds),
                    ])
            }
            withExtendedLifetime(arenas) {}
        }
    }
}
