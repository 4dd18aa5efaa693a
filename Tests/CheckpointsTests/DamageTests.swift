// Files that are not as they were written: each is named with its reason and passed over.

import Checkpoints
import ContrastiveClustering
import Foundation
import Safetensors
import XCTest

final class DamageTests: XCTestCase {
    private func assertDamaged(_ path: String, _ message: String = "", line: UInt = #line) {
        XCTAssertThrowsError(try Checkpoint(path: path), message, line: line) {
            XCTAssertEqual(($0 as? CheckpointError)?.kind, .damaged, message, line: line)
            XCTAssertTrue("\($0)".contains(path), "\($0)", line: line)
        }
    }

    func testTheOneBeforeADamagedOneIsTaken() throws {
        let folder = try temporaryFolder()
        let store = try CheckpointStore(folder, keep: 2)
        let records = try [10, 20, 30].map { try store.write(sampleState(step: $0), model: sampleModel) }
        XCTAssertEqual(try store.list(), ["step-000000030", "step-000000020"])
        try change(records[2].path) { $0.removeLast(100) }
        let resumption = try store.newest(for: sampleModel)
        XCTAssertEqual(resumption.checkpoint?.state.step, 20)
        XCTAssertEqual(resumption.skipped.map(\.path), [records[2].path])
        XCTAssertTrue("\(resumption.skipped[0])".contains("the file has been cut off"), "\(resumption.skipped[0])")

        // It neither vanishes nor takes the place of a good one.
        try _ = store.write(sampleState(step: 21), model: sampleModel)
        XCTAssertEqual(try store.list(), ["step-000000030", "step-000000021", "step-000000020"])
        try _ = store.write(sampleState(step: 22), model: sampleModel)
        XCTAssertEqual(try store.list(), ["step-000000030", "step-000000022", "step-000000021"])
        XCTAssertEqual(try store.newest(for: sampleModel).checkpoint?.state.step, 22)

        // Training that comes to the same step replaces it.
        try _ = store.write(sampleState(step: 30), model: sampleModel)
        XCTAssertEqual(try store.newest(for: sampleModel).checkpoint?.state.step, 30)
        XCTAssertEqual(try store.list(), ["step-000000030", "step-000000022"])
    }

    func testAllDamagedMeansNoneIsTakenAndEachIsNamed() throws {
        let store = try CheckpointStore(try temporaryFolder())
        for step: UInt64 in [1, 2, 3] {
            let record = try store.write(sampleState(step: step), model: sampleModel)
            try change(record.path) { $0[$0.count - 1] ^= 1 }
        }
        let resumption = try store.newest(for: sampleModel)
        XCTAssertNil(resumption.checkpoint)
        XCTAssertEqual(resumption.skipped.count, 3)
        XCTAssertTrue(resumption.skipped.allSatisfy { $0.reason.contains("the checksum differs") })
    }

    func testEveryTruncationIsFound() throws {
        let folder = try temporaryFolder()
        let path = try CheckpointStore(folder).write(sampleState(step: 1), model: sampleModel).path
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        for length in Array(0..<20) + Array(stride(from: 20, to: bytes.count, by: 97)) + [bytes.count - 1] {
            try change(path) { $0 = Array(bytes.prefix(length)) }
            assertDamaged(path, "\(length) bytes")
        }
        try change(path) { $0 = bytes + [0] }
        assertDamaged(path, "one byte more")
    }

    /// Any flipped bit, in the header as in the data.
    func testEveryFlippedBitIsFound() throws {
        let folder = try temporaryFolder()
        let path = try CheckpointStore(folder).write(sampleState(step: 1, width: 1), model: sampleModel).path
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        for place in bytes.indices {
            try change(path) {
                $0 = bytes; $0[place] ^= 1 << UInt8(place % 8)
            }
            assertDamaged(path, "byte \(place)")
        }
    }

    func testWhatNeverWasACheckpointIsNamed() throws {
        let folder = try temporaryFolder()
        let path = folder + "/step-000000001.safetensors"
        for contents in ["", "hello", String(repeating: "<html>", count: 100)] {
            try write(Array(contents.utf8), to: path)
            assertDamaged(path)
        }
        try write(
            SafetensorsFile(tensors: sampleState(step: 1).tensors, metadata: ["format": "pt"]).encoded(), to: path)
        assertDamaged(path)
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        assertDamaged(path)
        let store = try CheckpointStore(folder)
        XCTAssertEqual(try store.newest(for: sampleModel).skipped.count, 1)
    }

    func testARenamedCheckpointIsNamed() throws {
        let folder = try temporaryFolder()
        let store = try CheckpointStore(folder)
        let record = try store.write(sampleState(step: 1), model: sampleModel)
        try FileManager.default.moveItem(atPath: record.path, toPath: folder + "/step-000000009.safetensors")
        let resumption = try store.newest(for: sampleModel)
        XCTAssertNil(resumption.checkpoint)
        XCTAssertTrue("\(resumption.skipped[0])".contains("it holds step 1 (it has been renamed)"))
    }

    func testTheMetadataMustBeThereAndMakeSense() throws {
        let path = try temporaryFolder() + "/x.safetensors"
        let whole = [
            "format": "clusterd/1", "step": "7", "architecture": "resnet34", "image_size": "224", "clusters": "10",
            "feature_dim": "128", "label_epoch": "2", "rng": "", "config": "{}",
        ]
        try write(sealed(whole), to: path)
        XCTAssertEqual(try Checkpoint(path: path).state.step, 7)
        for key in whole.keys {
            try write(sealed(whole.filter { $0.key != key }), to: path)
            XCTAssertThrowsError(try Checkpoint(path: path)) {
                XCTAssertTrue("\($0)".contains("has no \(key)"), "\($0)")
            }
        }
        for key in ["step", "clusters", "image_size"] {
            for value in ["-1", "x", "1.5", "", "99999999999999999999"] {
                try write(sealed(whole.merging([key: value]) { $1 }), to: path)
                XCTAssertThrowsError(try Checkpoint(path: path)) {
                    XCTAssertTrue("\($0)".contains("\(key) is not a number"), "\($0)")
                }
            }
        }
        try write(sealed(whole.merging(["format": "clusterd/2"]) { $1 }), to: path)
        XCTAssertThrowsError(try Checkpoint(path: path)) {
            XCTAssertEqual(($0 as? CheckpointError)?.kind, .otherModel)
            XCTAssertTrue("\($0)".contains("in the format clusterd/2"), "\($0)")
        }
    }

    func testACheckpointOfAnotherModelIsAnErrorNotABeginning() throws {
        let store = try CheckpointStore(try temporaryFolder())
        let record = try store.write(sampleState(step: 1), model: sampleModel)
        for (change, word) in [
            ({ $0.architecture = "resnet18" }, "resnet18"), ({ $0.clusters = 20 }, "20 clusters"),
            ({ $0.featureDim = 64 }, "64 features"),
        ] as [((inout CheckpointModel) -> Void, String)] {
            var model = sampleModel
            change(&model)
            let error = try checkpointError { _ = try store.newest(for: model) }
            XCTAssertEqual(error.kind, .otherModel)
            XCTAssertTrue("\(error)".contains(record.path) && "\(error)".contains(word), "\(error)")
        }
        var larger = sampleModel
        larger.imageSize = 96
        XCTAssertEqual(try store.newest(for: larger).checkpoint?.model.imageSize, 224)
    }

    func testTheTensorsNeededMustBeThere() throws {
        let store = try CheckpointStore(try temporaryFolder())
        let state = sampleState(step: 1)
        try _ = store.write(state, model: sampleModel)
        var shapes = Dictionary(uniqueKeysWithValues: state.tensors.map { ($0.name, $0.shape) })
        XCTAssertNotNil(try store.newest(for: sampleModel, shapes: shapes).checkpoint)
        shapes["resnet.bn1.weight"] = [5]
        var error = try checkpointError { _ = try store.newest(for: sampleModel, shapes: shapes) }
        XCTAssertTrue("\(error)".contains("its resnet.bn1.weight is [4], not [5]"), "\(error)")
        shapes["resnet.bn1.weight"] = nil
        shapes["resnet.layer9.weight"] = [1]
        error = try checkpointError { _ = try store.newest(for: sampleModel, shapes: shapes) }
        XCTAssertTrue("\(error)".contains("its resnet.layer9.weight is missing"), "\(error)")
    }

    func testAFileThatMayNotBeReadIsAnError() throws {
        try XCTSkipIf(geteuid() == 0, "root may read everything")
        let store = try CheckpointStore(try temporaryFolder())
        let record = try store.write(sampleState(step: 1), model: sampleModel)
        chmod(record.path, 0)
        let error = try checkpointError { _ = try store.newest(for: sampleModel) }
        XCTAssertEqual(error.kind, .system(EACCES))
    }

    /// A file with a valid checksum and the metadata given.
    private func sealed(_ metadata: [String: String]) -> [UInt8] {
        var file = SafetensorsFile(tensors: sampleState(step: 7, width: 1).tensors, metadata: metadata)
        file.metadata["checksum"] = String(repeating: "0", count: 64)
        file.metadata["checksum"] = sha256(file.encoded())
        return file.encoded()
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
}
