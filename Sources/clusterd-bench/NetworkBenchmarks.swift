// Whole passes of the network: a training step on two given views, as the peer's is measured, and inference.

import ArgumentParser
import ContrastiveClustering
import NeuralNetwork
import Tensors

/// The options of benchmarks of a network.
struct NetworkOptions: ParsableArguments {
    @Option(help: "The backbone.")
    var architecture = ModelSettings.Architecture.resnet34

    @Option(help: ArgumentHelp("Height and width of the images.", valueName: "pixels"))
    var size = 224

    @Option(help: ArgumentHelp("Images a step.", valueName: "images"))
    var batch = 32

    func validate() throws {
        guard size > 0, batch > 0 else { throw ValidationError("--size and --batch must be positive.") }
    }

    var model: ModelSettings { ModelSettings(architecture: architecture, imageSize: size) }

    func values(_ imagesPerSecond: Double) -> [String: Value] {
        [
            "architecture": .text(architecture.rawValue), "size": .integer(size), "batch": .integer(batch),
            "images_per_s": .number(imagesPerSecond),
        ]
    }
}

extension ModelSettings.Architecture: ExpressibleByArgument {}

/// Random pixels.
func fill(_ tensor: Tensor) {
    var random = RandomSource(seed: 1)
    for index in 0..<tensor.count { tensor.data[index] = random.uniform() }
}

/// `clusterd-bench train`.
struct TrainBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "A training step: two forward passes, losses, backward, Adam.")

    @OptionGroup var network: NetworkOptions
    @OptionGroup var measuring: MeasuringOptions

    func run() throws {
        let compute = Compute(threads: measuring.threadCount)
        let model = ContrastiveModel(network.model)
        model.initialize(seed: 1, compute)
        let pass = TrainingPass(model, batch: network.batch)
        let adam = Adam(count: model.weights.parameters.count, learningRate: 3e-4)
        pass.views(count: network.batch).forEach(fill)
        let seconds = measuring.median {
            _ = pass.forward(count: network.batch, compute)
            pass.backward(count: network.batch, compute)
            adam.update(model.weights.parameters, gradients: pass.gradients, compute)
        }
        try report("train", threads: measuring.threadCount, network.values(Double(network.batch) / seconds))
    }
}

/// `clusterd-bench infer`.
struct InferBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "infer", abstract: "An evaluation pass: features and cluster probabilities.")

    @OptionGroup var network: NetworkOptions
    @OptionGroup var measuring: MeasuringOptions

    func run() throws {
        let compute = Compute(threads: measuring.threadCount)
        let model = ContrastiveModel(network.model)
        model.initialize(seed: 1, compute)
        let pass = EvaluationPass(model, batch: network.batch)
        pass.prepare(compute)
        fill(pass.x)
        let seconds = measuring.median { pass.forward(count: network.batch, compute) }
        var values = network.values(Double(network.batch) / seconds)
        values["milliseconds"] = .number(seconds * 1e3)
        values["prepare_milliseconds"] = .number(measuring.median { pass.prepare(compute) } * 1e3)
        values["prepared_bytes"] = .integer(pass.preparedBytes)
        try report("infer", threads: measuring.threadCount, values)
    }
}
