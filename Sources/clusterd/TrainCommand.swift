// `clusterd train`: offline training on a collection, the paper's way.

import ArgumentParser
import Checkpoints
import ContrastiveClustering
import Daemon
import Datasets
import Foundation
import Offline
import Tensors

/// Trains on folders and files, without the stream.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Trains on a folder of images, the paper's way.",
        discussion: """
            Sees every image once an epoch, in a new order each time, and prints a line an epoch: the losses, and NMI, ACC \
            and ARI where labels are known. A folder's name is the label of the images in it; the label file beside an IDX \
            file holds its labels. Labels are compared with and never trained on.

            Checkpoints go to --out, and a run that finds some there goes on from the newest. Ctrl-C ends a run after the \
            step under way, with a checkpoint; a second one ends it at once.

            The defaults are the paper's and meant for photos. For small pictures: --size 32 --jitter 0.5.

            EXAMPLES
              clusterd train photos/ --clusters 8 --epochs 100 --out photos-model
              clusterd train /usr/share/datasets/fashion-mnist --size 32 --jitter 0.5 --epochs 20
              find photos -name '*.jpg' | clusterd train - --architecture resnet18

            EXIT CODES
              0 all epochs done, or ended in order by a signal; 64 usage; 74 images or checkpoints cannot be read or \
            written; 75 another process has the checkpoint folder; 78 the checkpoints are of another model or other settings
            """)

    @Argument(
        help: "Folders (with all below them), image files, IDX files (.gz too), or - for a list of paths.",
        completion: .file())
    var sources: [String]

    @Option(help: ArgumentHelp("The checkpoint folder.", valueName: "dir"), completion: .directory)
    var out = "clusterd-model"

    @Option(help: "How often every image is seen.")
    var epochs = 1000

    @Option(help: "The backbone: \(ModelSettings.Architecture.names).")
    var architecture = ModelSettings.Architecture.resnet34

    @Option(help: ArgumentHelp("Height and width to which images are resized.", valueName: "pixels"))
    var size = 224

    @Option(help: "How many clusters to find.")
    var clusters = 10

    @Option(help: "The length of the instance head's vectors.")
    var featureDim = 128

    @Option(help: ArgumentHelp("Images a step.", valueName: "images"))
    var batch = 256

    @Option(help: ArgumentHelp("Adam's step size.", valueName: "rate"))
    var learningRate: Float = 3e-4

    @Option(help: ArgumentHelp("The instance loss's temperature.", valueName: "tau"))
    var instanceTemperature: Float = 0.5

    @Option(help: ArgumentHelp("The cluster loss's temperature.", valueName: "tau"))
    var clusterTemperature: Float = 1

    @Option(help: "Which views are augmented: \(Views.names). All but both are the paper's ablations.")
    var views = Views.both

    @Option(help: "Which heads are trained: \(Heads.names). With instance alone, k-means gives the clusters.")
    var heads = Heads.both

    @Option(help: ArgumentHelp("The strength of the colour jitter.", valueName: "strength"))
    var jitter: Float = 1

    @Flag(help: "Blur half of the views, as the paper does for ImageNet.")
    var blur = false

    @Option(help: "What all random numbers follow from.")
    var seed: UInt64 = 42

    @Option(help: "Threads to compute with; 0 for one a core.")
    var threads = 0

    @Option(help: ArgumentHelp("Epochs from one evaluation to the next; 0 for one at the end.", valueName: "epochs"))
    var evaluateEvery = 1

    @Option(help: ArgumentHelp("Steps from one checkpoint to the next; at most ten minutes pass.", valueName: "steps"))
    var checkpointSteps: UInt64 = 200

    @Option(help: "How many checkpoints are kept.")
    var keep = 5

    func validate() throws {
        func check(_ isValid: Bool, _ message: String) throws { if !isValid { throw ValidationError(message) } }
        try check(!sources.isEmpty, "Name a folder of images.")
        try check(epochs >= 1, "--epochs must be at least 1.")
        try check((16...1024).contains(size), "--size must be in 16 ... 1024.")
        try check((2...10_000).contains(clusters), "--clusters must be in 2 ... 10000.")
        try check((1...4096).contains(featureDim), "--feature-dim must be in 1 ... 4096.")
        try check((2...65_536).contains(batch), "--batch must be in 2 ... 65536.")
        try check(learningRate >= 1e-8 && learningRate <= 1, "--learning-rate must be in 1e-8 ... 1.")
        for (name, value) in [("instance", instanceTemperature), ("cluster", clusterTemperature)] {
            try check(value >= 0.01 && value <= 100, "--\(name)-temperature must be in 0.01 ... 100.")
        }
        try check(jitter >= 0 && jitter <= 2, "--jitter must be in 0 ... 2.")
        try check((0...1024).contains(threads), "--threads must be in 0 ... 1024.")
        try check(evaluateEvery >= 0, "--evaluate-every must not be negative.")
        try check(checkpointSteps >= 1, "--checkpoint-steps must be at least 1.")
        try check(keep >= 1, "--keep must be at least 1.")
    }

    func run() throws {
        OpenBLAS.restartForWideVectors()
        // Before any thread starts, so that none of them takes the signals.
        let stop = StopRequest()
        let signals = SignalHandling(onStop: { _ in stop.request() })
        defer { withExtendedLifetime(signals) {} }
        try reportingOfflineErrors {
            let console = RunConsole(epochs: epochs)
            let collection = try ImageCollection.withLabelsIfAny(opening: sources)
            collection.unreadable.forEach { RunConsole.warn("\($0)") }
            console.say(
                "\(collection.count) images; checkpoints go to \(out); matrix products for \(OpenBLAS.coreName)")
            let store = try CheckpointStore(directory: out, keep: keep, onWarning: { RunConsole.warn("\($0)") })
            let training = try OfflineTraining(
                settings, on: collection, store: store, threads: threads, observe: console.show,
                shouldStop: { stop.isRequested })
            switch try training.run() {
            case .completed: console.say("done: \(epochs) epochs")
            case .stopped: console.say("stopped; the same command goes on from here")
            }
        }
    }

    private var settings: OfflineSettings {
        OfflineSettings(
            model: ModelSettings(
                architecture: architecture, imageSize: size, clusters: clusters, featureDimension: featureDim),
            training: TrainingSettings(
                batchSize: batch, learningRate: learningRate, instanceTemperature: instanceTemperature,
                clusterTemperature: clusterTemperature, views: views, heads: heads, jitter: jitter, blur: blur,
                seed: seed),
            epochs: epochs, evaluateEvery: evaluateEvery, checkpointSteps: checkpointSteps)
    }
}

/// Runs `body`; what it fails with is told in a line on standard error and by the exit code.
func reportingOfflineErrors(_ body: () throws -> Void) throws {
    do {
        try body()
    } catch {
        guard let code = offlineExitCode(for: error) else { throw error }
        FileHandle.standardError.write(Data("error: \(error)\n".utf8))
        throw ExitCode(code)
    }
}

extension ModelSettings.Architecture: ExpressibleByArgument {}
extension Views: ExpressibleByArgument {}
extension Heads: ExpressibleByArgument {}

extension CaseIterable where Self: RawRepresentable, RawValue == String {
    /// All values, for a help text.
    fileprivate static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
