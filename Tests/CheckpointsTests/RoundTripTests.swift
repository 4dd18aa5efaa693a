// What is written is read again, under the name and with the digest that were announced.

import Checkpoints
import ContrastiveClustering
import Foundation
import Safetensors
import Tensors
import XCTest

final class RoundTripTests: XCTestCase {
    func testSHA256AgreesWithTheStandard() {
        // FIPS 180-4, the examples of "abc" and of the empty message.
        XCTAssertEqual(
            sha256(Array("a".utf8), Array("bc".utf8)),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        XCTAssertEqual(
            sha256(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    func testAStateComesBackBitForBit() throws {
        let folder = try temporaryFolder() + "/state/checkpoints"
        let store = try CheckpointStore(folder)
        let state = sampleState(step: 1200)
        let config = "{\"train\":{\"seed\":42},\"name\":\"é\\n\"}"
        let before = UInt64(Date().timeIntervalSince1970 * 1e9)
        let record = try store.write(
            state, model: sampleModel, labelEpoch: 3, relabeling: "{\"map\":[1,0]}", configuration: config)
        XCTAssertEqual(record.id, "step-000001200-epoch-3")
        XCTAssertEqual(record.step, 1200)
        XCTAssertEqual(record.path, folder + "/step-000001200-epoch-3.safetensors")
        // The clock of a file system ticks less often than the system's.
        XCTAssertGreaterThan(record.time, before - 1_000_000_000)
        XCTAssertEqual(try names(in: folder), ["step-000001200-epoch-3.safetensors"])

        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: record.path)))
        XCTAssertEqual(record.bytes, bytes.count)
        XCTAssertEqual(record.sha256, sha256(bytes))

        for checkpoint in [
            try Checkpoint(path: record.path), try store.load(id: record.id),
            try XCTUnwrap(store.newest(for: sampleModel).checkpoint),
        ] {
            XCTAssertEqual(checkpoint.record, record)
            XCTAssertEqual(checkpoint.model, sampleModel)
            XCTAssertEqual(checkpoint.labelEpoch, 3)
            XCTAssertEqual(checkpoint.configuration, config)
            XCTAssertEqual(checkpoint.relabeling, "{\"map\":[1,0]}")
            XCTAssertEqual(checkpoint.state.step, state.step)
            XCTAssertEqual(checkpoint.state.random, state.random)
            XCTAssertEqual(checkpoint.state.sortedTensors, state.sortedTensors)
        }
    }

    func testTheMetadataIsAsDocumented() throws {
        let store = try CheckpointStore(try temporaryFolder())
        let state = sampleState(step: 7)
        let record = try store.write(state, model: sampleModel, labelEpoch: 2, configuration: "{}")
        var metadata = try SafetensorsFile(path: record.path).metadata
        let checksum = try XCTUnwrap(metadata.removeValue(forKey: "checksum"))
        XCTAssertEqual(
            metadata,
            [
                "format": "clusterd/1", "step": "7", "architecture": "resnet34", "image_size": "224", "clusters": "10",
                "feature_dim": "128", "label_epoch": "2", "rng": state.random, "config": "{}",
            ])
        // The checksum is that of the file with zeros in its place.
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: record.path)))
        let zeros = [UInt8](repeating: UInt8(ascii: "0"), count: 64)
        XCTAssertEqual(checksum, sha256(bytes.replacing(Array(checksum.utf8), with: zeros)))
    }

    func testTheSameStepIsReplaced() throws {
        let folder = try temporaryFolder()
        let store = try CheckpointStore(folder)
        try _ = store.write(sampleState(step: 5), model: sampleModel)
        var other = sampleState(step: 5)
        other.random = "another"
        try _ = store.write(other, model: sampleModel)
        XCTAssertEqual(try names(in: folder), ["step-000000005.safetensors"])
        XCTAssertEqual(try store.newest(for: sampleModel).checkpoint?.state.random, "another")
    }

    func testTheHighestStepIsTheNewest() throws {
        let store = try CheckpointStore(try temporaryFolder())
        for step: UInt64 in [1_000_000_000, 0, 999_999_999, .max] {
            try _ = store.write(sampleState(step: step), model: sampleModel)
        }
        XCTAssertEqual(
            try store.list(), ["step-18446744073709551615", "step-1000000000", "step-999999999", "step-000000000"])
        XCTAssertEqual(try store.load(id: "step-1000000000").state.step, 1_000_000_000)
        XCTAssertEqual(try store.newest(for: sampleModel).checkpoint?.state.step, .max)
    }

    func testUnknownIdentifiersAreNamed() throws {
        let store = try CheckpointStore(try temporaryFolder())
        for id in ["step-000000001", "", "../../etc/passwd", "step-1", "step-0000000001", "step-00000000x"] {
            let error = try checkpointError { _ = try store.load(id: id) }
            XCTAssertEqual(error.kind, .system(ENOENT), id)
        }
    }

    func testAFolderWithoutCheckpointsHasNoNewest() throws {
        let resumption = try CheckpointStore(try temporaryFolder()).newest(for: sampleModel)
        XCTAssertNil(resumption.checkpoint)
        XCTAssertEqual(resumption.skipped, [])
    }

    func testTheSummaryCountsWhatIsThere() throws {
        let store = try CheckpointStore(try temporaryFolder())
        let state = sampleState(step: 9)
        let record = try store.write(state, model: sampleModel)
        let summary = CheckpointSummary(try Checkpoint(path: record.path))
        let parameters = 4 * 3 * 49 + 4 * 4 + 4 * 4 * 9 + 4 * 4 + 10
        XCTAssertEqual(summary.parameters, parameters)
        XCTAssertEqual(summary.modelBytes, 4 * (parameters + 4 * 4) + 2 * 8)
        XCTAssertTrue(summary.hasOptimizer)
        XCTAssertEqual(summary.notFinite, 0)
        XCTAssertEqual(summary.sha256, record.sha256)
        XCTAssertEqual(summary.tensors?.count, state.tensors.count)
        let bias = try XCTUnwrap(summary.tensors?.first { $0.name == "cluster_projector.2.bias" })
        guard case .float32(let values)? = state.tensors.first(where: { $0.name == bias.name })?.elements else {
            return XCTFail("no bias")
        }
        XCTAssertEqual(bias.norm, values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot(), accuracy: 1e-12)
        XCTAssertEqual(bias.maximum, values.max().map(Double.init))
        XCTAssertEqual(bias.minimum, values.min().map(Double.init))

        let weightsOnly = LearnerState(
            step: 10, tensors: state.tensors.filter { !$0.name.hasPrefix("optimizer.v") }, random: "")
        try _ = store.write(weightsOnly, model: sampleModel)
        XCTAssertFalse(CheckpointSummary(try store.load(id: "step-000000010")).hasOptimizer)
    }
}
