// States and folders that the tests share.

import Checkpoints
import ContrastiveClustering
import Foundation
import Tensors
import XCTest

let sampleModel = CheckpointModel(architecture: "resnet34", imageSize: 224, clusters: 10, featureDim: 128)

/// A training learner's state with the names of the real one.
///
/// - Parameter width: channels of the tensors; 4 gives a file of some kilobytes, 256 one of some megabytes.
func sampleState(step: UInt64, width: Int = 4) -> LearnerState {
    var random = RandomSource(seed: step, stream: UInt64(width))
    var weights: [NamedTensor] = []
    func add(_ name: String, _ shape: [Int]) {
        let values = (0..<shape.reduce(1, *)).map { _ in random.normal() }
        weights.append(NamedTensor(name: name, shape: shape, elements: .float32(values)))
    }
    add("resnet.conv1.weight", [width, 3, 7, 7])
    for layer in ["resnet.bn1", "resnet.layer1.0.bn1"] {
        for part in ["weight", "bias", "running_mean", "running_var"] { add("\(layer).\(part)", [width]) }
    }
    add("resnet.layer1.0.conv1.weight", [width, width, 3, 3])
    add("instance_projector.0.weight", [width, width])
    add("cluster_projector.2.bias", [10])
    let moments = weights.filter { !$0.name.contains("running") }.flatMap { tensor in
        ["m", "v"].map {
            NamedTensor(name: "optimizer.\($0).\(tensor.name)", shape: tensor.shape, elements: tensor.elements)
        }
    }
    let counts = ["resnet.bn1", "resnet.layer1.0.bn1"].map {
        NamedTensor(
            name: "\($0).num_batches_tracked", shape: [], elements: .int64([Int64(truncatingIfNeeded: 2 &* step)]))
    }
    return LearnerState(step: step, tensors: weights + moments + counts, random: "\(random.state)")
}

extension LearnerState {
    /// The tensors in an order of their own, since a file has another.
    var sortedTensors: [NamedTensor] { tensors.sorted { $0.name < $1.name } }
}

extension CheckpointStore {
    /// A store whose warnings fail the test.
    convenience init(_ directory: String, keep: Int = 5) throws {
        try self.init(directory: directory, keep: keep) { XCTFail("\($0)") }
    }
}

extension XCTestCase {
    /// A folder that is gone after the test.
    func temporaryFolder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("checkpoints-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        addTeardownBlock { try? FileManager.default.removeItem(at: folder) }
        return folder.path
    }

    /// The names in a folder, without the lock.
    func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0 != ".lock" }.sorted()
    }

    /// The error that `body` throws.
    func checkpointError(_ body: () throws -> Void, line: UInt = #line) throws -> CheckpointError {
        do {
            try body()
        } catch let error as CheckpointError {
            return error
        }
        XCTFail("nothing was thrown", line: line)
        throw XCTSkip("nothing was thrown")
    }
}

/// The bytes of a file, changed and written back.
func change(_ path: String, _ body: (inout [UInt8]) -> Void) throws {
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    body(&bytes)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
}

/// The SHA-256 of bytes that come in parts.
func sha256(_ parts: [UInt8]...) -> String {
    var digest = SHA256()
    for part in parts { digest.update(part) }
    return digest.hexadecimal()
}
