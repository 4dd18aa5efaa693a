// The folder: how many checkpoints stay, what else may lie in it, and whose it is.

import Checkpoints
import ContrastiveClustering
import Foundation
import XCTest

final class StoreTests: XCTestCase {
    func testTheNewestStay() throws {
        let folder = try temporaryFolder()
        let store = try CheckpointStore(folder, keep: 3)
        for step: UInt64 in 1...6 {
            try _ = store.write(sampleState(step: step), model: sampleModel)
            XCTAssertEqual(try store.list().count, min(Int(step), 3))
        }
        XCTAssertEqual(try store.list(), ["step-000000006", "step-000000005", "step-000000004"])
        XCTAssertEqual(try names(in: folder).count, 3)
    }

    func testTheOneJustWrittenStaysAlsoWhenStepsGoBack() throws {
        let store = try CheckpointStore(try temporaryFolder(), keep: 2)
        for step: UInt64 in [100, 200, 50] { try _ = store.write(sampleState(step: step), model: sampleModel) }
        XCTAssertEqual(try store.list(), ["step-000000200", "step-000000050"])
    }

    func testForeignFilesStayAndLeftoversGo() throws {
        let folder = try temporaryFolder()
        let foreign = [
            "notes.txt", "model.safetensors", "step-12.safetensors", "step-000000001.safetensors.partial",
            ".step-000000001.safetensors", ".step-x.safetensors.partial", "step-0000000012.safetensors",
            "step-99999999999999999999.safetensors", ".other.partial",
        ]
        let leftovers = [".step-000000007.safetensors.partial", ".step-1234567890123.safetensors.partial"]
        for name in foreign + leftovers { try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/" + name)) }
        let store = try CheckpointStore(folder, keep: 1)
        XCTAssertEqual(try names(in: folder), foreign.sorted())
        XCTAssertEqual(try store.list(), [])
        for step: UInt64 in [1, 2, 3] { try _ = store.write(sampleState(step: step), model: sampleModel) }
        XCTAssertEqual(try names(in: folder), (foreign + ["step-000000003.safetensors"]).sorted())
        XCTAssertEqual(try store.newest(for: sampleModel).checkpoint?.state.step, 3)
    }

    func testAnOldFileThatCannotBeRemovedIsAWarning() throws {
        let folder = try temporaryFolder()
        // unlink(2) refuses a folder, whoever asks.
        try FileManager.default.createDirectory(
            atPath: folder + "/step-000000001.safetensors", withIntermediateDirectories: false)
        let warnings = expectation(description: "warned")
        let store = try CheckpointStore(directory: folder, keep: 1) { warning in
            XCTAssertEqual(warning.operation, "remove")
            XCTAssertEqual(warning.path, folder + "/step-000000001.safetensors")
            warnings.fulfill()
        }
        XCTAssertNoThrow(try store.write(sampleState(step: 2), model: sampleModel))
        wait(for: [warnings], timeout: 10)
        XCTAssertEqual(try store.newest(for: sampleModel).checkpoint?.state.step, 2)
    }

    func testAFolderHasOneStore() throws {
        let folder = try temporaryFolder()
        do {
            let store = try CheckpointStore(folder)
            let error = try checkpointError { _ = try CheckpointStore(folder) }
            XCTAssertEqual(error.kind, .inUse)
            XCTAssertEqual(
                "\(error)",
                "cannot use \(folder): process \(getpid()) keeps its checkpoints there (stop it, or choose another folder)"
            )
            try _ = store.write(sampleState(step: 1), model: sampleModel)
        }
        XCTAssertEqual(try CheckpointStore(folder).list(), ["step-000000001"])
    }

    func testAFolderThatCannotBeIsNamed() throws {
        let folder = try temporaryFolder()
        try Data().write(to: URL(fileURLWithPath: folder + "/file"))
        for path in [folder + "/file", folder + "/file/below"] {
            let error = try checkpointError { _ = try CheckpointStore(path) }
            XCTAssertEqual(error.kind, .system(ENOTDIR))
            XCTAssertTrue(error.path.hasPrefix(path), "\(error)")
        }
        let error = try checkpointError { _ = try CheckpointStore("/proc/clusterd") }
        XCTAssertEqual(error.operation, "create")
        XCTAssertEqual(error.path, "/proc/clusterd")
    }

    func testAFileThatIsAddedIsTheOneToGoOnFrom() throws {
        let folder = try temporaryFolder()
        let store = try CheckpointStore(folder)
        for step in [UInt64(100), 200, 300] { _ = try store.write(sampleState(step: step), model: sampleModel) }
        let other = try CheckpointStore(try temporaryFolder())
        let written = try other.write(sampleState(step: 150), model: sampleModel)
        let incoming = folder + "/.incoming"
        try FileManager.default.copyItem(atPath: written.path, toPath: incoming)
        let record = try store.add(try Checkpoint(path: incoming))
        XCTAssertEqual([record.id, record.sha256], [written.id, written.sha256])
        XCTAssertEqual(try store.list(), ["step-000000150", "step-000000100"], "what was newer has gone")
        XCTAssertEqual(try store.newest(for: sampleModel).checkpoint?.record, record)
        XCTAssertEqual(try store.records().first, record)
    }
}
