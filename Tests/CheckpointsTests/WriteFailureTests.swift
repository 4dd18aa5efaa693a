// Writes that fail: the folder holds what it held before, and the error says what to do.

import Checkpoints
import ContrastiveClustering
import Foundation
import Tensors
import XCTest

final class WriteFailureTests: XCTestCase {
    /// A write that fails, checked against the checkpoint that was there before.
    private func assertNothingIsLeft(of store: CheckpointStore, _ code: Int32, _ hint: String) throws {
        let before = try names(in: store.directory)
        for step: UInt64 in [1, 2] {
            let error = try checkpointError {
                _ = try store.write(sampleState(step: step, width: 128), model: sampleModel)
            }
            XCTAssertEqual(error.kind, .system(code))
            XCTAssertEqual(error.operation, "write")
            XCTAssertTrue(error.path.hasSuffix("step-00000000\(step).safetensors"), "\(error)")
            XCTAssertTrue("\(error)".contains(hint), "\(error)")
            XCTAssertEqual(try names(in: store.directory), before)
        }
        XCTAssertEqual(
            try store.newest(for: sampleModel).checkpoint?.state.sortedTensors, sampleState(step: 1).sortedTensors)
    }

    func testAFileLargerThanAllowedLeavesNothing() throws {
        let store = try CheckpointStore(try temporaryFolder(), keep: 1)
        try _ = store.write(sampleState(step: 1), model: sampleModel)
        // Without this the system ends the process instead of failing the call: setrlimit(2).
        let handler = signal(SIGXFSZ, SIG_IGN)
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        var lowered = rlimit(rlim_cur: 1 << 20, rlim_max: limit.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &lowered)
        defer {
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            signal(SIGXFSZ, handler)
        }
        try assertNothingIsLeft(of: store, EFBIG, "ulimit -f")
    }

    func testAFullDiskLeavesNothing() throws {
        let folder = try temporaryFolder()
        guard mount("tmpfs", folder, "tmpfs", 0, "size=1m") == 0 else {
            throw XCTSkip("mounting a small file system needs root")
        }
        defer { umount2(folder, Int32(MNT_DETACH)) }
        let store = try CheckpointStore(folder, keep: 1)
        try _ = store.write(sampleState(step: 1), model: sampleModel)
        try assertNothingIsLeft(of: store, ENOSPC, "free some space")
        // And once there is room again, it goes on.
        try _ = store.write(sampleState(step: 3), model: sampleModel)
        XCTAssertEqual(try store.list(), ["step-000000003"])
    }

    func testAFolderThatIsGoneIsNamed() throws {
        let folder = try temporaryFolder() + "/a"
        let store = try CheckpointStore(folder)
        try FileManager.default.removeItem(atPath: folder)
        let error = try checkpointError { _ = try store.write(sampleState(step: 1), model: sampleModel) }
        XCTAssertEqual(error.kind, .system(ENOENT))
        XCTAssertTrue(error.path.hasPrefix(folder), "\(error)")
    }

    func testAFolderWithoutPermissionIsNamed() throws {
        try XCTSkipIf(geteuid() == 0, "root may write everywhere")
        let folder = try temporaryFolder()
        let store = try CheckpointStore(folder)
        chmod(folder, 0o500)
        defer { chmod(folder, 0o700) }
        let error = try checkpointError { _ = try store.write(sampleState(step: 1), model: sampleModel) }
        XCTAssertEqual(error.kind, .system(EACCES))
    }

    func testAStateThatIsNotFiniteIsNotWritten() throws {
        let folder = try temporaryFolder()
        let store = try CheckpointStore(folder)
        for bad in [Float.nan, -.nan, .infinity, -.infinity] {
            var state = sampleState(step: 1)
            state.tensors.append(NamedTensor(name: "z", shape: [3], elements: .float32([1, bad, 2])))
            let error = try checkpointError { _ = try store.write(state, model: sampleModel) }
            XCTAssertEqual(error.kind, .notFinite)
            XCTAssertTrue("\(error)".contains("z holds a number that is not finite"), "\(error)")
        }
        XCTAssertEqual(try names(in: folder), [])
        var state = sampleState(step: 1)
        state.tensors.append(
            NamedTensor(name: "z", shape: [2], elements: .float32([.greatestFiniteMagnitude, -.leastNonzeroMagnitude])))
        XCTAssertNoThrow(try store.write(state, model: sampleModel))
    }
}
