// `clusterd evaluate`: how well a checkpoint's clusters agree with labels.

import ArgumentParser
import Checkpoints
import ContrastiveClustering
import Datasets
import Foundation
import Offline
import Tensors

/// Assigns a collection with a checkpoint's model and compares with its labels.
struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Assigns images with a checkpoint's model: NMI, ACC, ARI and cluster sizes.",
        discussion: """
            A folder's name is the label of the images in it; the label file beside an IDX file holds its labels. Without \
            two different labels there are no scores, and only the sizes of the clusters are shown. Images that cannot be \
            read are named and left out.

            EXAMPLES
              clusterd evaluate clusterd-model/step-000001200.safetensors photos/
              clusterd evaluate --json step-000001200.safetensors /usr/share/datasets/fashion-mnist

            EXIT CODES
              0 evaluated; 64 usage; 74 the checkpoint or the images cannot be read; 78 the checkpoint is of a model that \
            this program does not know
            """)

    @Argument(help: "The checkpoint file.", completion: .file(extensions: ["safetensors"]))
    var checkpoint: String

    @Argument(
        help: "Folders (with all below them), image files, IDX files (.gz too), or - for a list of paths.",
        completion: .file())
    var sources: [String]

    @Flag(help: "Print one JSON object instead of lines for people.")
    var json = false

    @Option(help: "Threads to compute with; 0 for one a core.")
    var threads = 0

    func validate() throws {
        guard !sources.isEmpty else { throw ValidationError("Name a folder of images.") }
        guard (0...1024).contains(threads) else { throw ValidationError("--threads must be in 0 ... 1024.") }
    }

    func run() throws {
        OpenBLAS.restartForWideVectors()
        try reportingOfflineErrors {
            let console = RunConsole(epochs: 1)
            let checkpoint = try Checkpoint(path: checkpoint)
            let collection = try ImageCollection.withLabelsIfAny(opening: sources)
            collection.unreadable.forEach { RunConsole.warn("\($0)") }
            let learner = try CPULearner.assigning(from: checkpoint, threads: threads)
            let report = EvaluationReport(
                learner, clusters: checkpoint.model.clusters,
                on: ImageBatches(collection, imageSize: checkpoint.model.imageSize, threads: threads),
                onFailure: console.leftOut,
                onProgress: { done in
                    console.showShare(done, of: collection.count, doing: "evaluating")
                    return true
                })
            guard let report else { return }
            console.clear()
            print(json ? try Self.json(report) : report.lines.joined(separator: "\n"))
        }
    }

    private static func json(_ report: EvaluationReport) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(report), as: UTF8.self)
    }
}
