// A process that is killed while it writes: what it announced is whole, and what it had begun is gone at the next start.
//
// The writer is this test program again, told by the environment to be one.

import Checkpoints
import ContrastiveClustering
import Foundation
import XCTest

final class KilledWriterTests: XCTestCase {
    private static let variable = "CHECKPOINTS_TESTS_WRITE_TO"

    /// In the process that is to be killed: writes without end, and a line for each checkpoint. Else nothing.
    func testWriter() throws {
        guard let folder = ProcessInfo.processInfo.environment[Self.variable] else { return }
        let store = try CheckpointStore(folder, keep: 3)
        let newest = try store.newest(for: sampleModel)
        XCTAssertEqual(newest.skipped, [])
        var state = sampleState(step: newest.checkpoint?.state.step ?? 0, width: 256)
        while true {
            state.step += 1
            let record = try store.write(state, model: sampleModel)
            FileHandle.standardOutput.write(Data("written \(record.id) \(record.sha256)\n".utf8))
        }
    }

    func testAKilledWriterLeavesOnlyWholeCheckpoints() throws {
        let folder = try temporaryFolder()
        var leftovers = 0
        // Where a writer is when it is killed is left to chance: it goes on until one was in the middle of a write.
        for round in 0..<40 where round < 8 || leftovers == 0 {
            let writer = Process()
            writer.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            writer.arguments = ["CheckpointsTests.KilledWriterTests/testWriter"]
            writer.environment = ProcessInfo.processInfo.environment.merging([Self.variable: folder]) { $1 }
            let output = Pipe()
            writer.standardOutput = output
            try writer.run()
            // After some checkpoints: in the middle of the next one, or at whatever point the writer happens to be.
            var text = ""
            while text.components(separatedBy: "written").count <= 2 + round % 3 {
                let data = output.fileHandleForReading.availableData
                guard !data.isEmpty else { break }
                text += String(decoding: data, as: UTF8.self)
            }
            while round % 2 == 1, try !names(in: folder).contains(where: { $0.hasSuffix(".partial") }) { sched_yield() }
            if round == 0 {
                let error = try checkpointError { _ = try CheckpointStore(folder) }
                XCTAssertTrue("\(error)".contains("process \(writer.processIdentifier) keeps"), "\(error)")
            }
            kill(writer.processIdentifier, SIGKILL)
            text += String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            writer.waitUntilExit()
            XCTAssertEqual(writer.terminationStatus, SIGKILL, text)

            let last = try XCTUnwrap(text.split(separator: "\n").last { $0.hasPrefix("written ") })
            let announced = last.split(separator: " ").map(String.init)
            leftovers += try names(in: folder).count { $0.hasSuffix(".partial") }
            let store = try CheckpointStore(folder, keep: 3)
            XCTAssertEqual(try names(in: folder), try store.list().reversed().map { $0 + ".safetensors" })
            for id in try store.list() { XCTAssertNoThrow(try store.load(id: id)) }
            let newest = try store.newest(for: sampleModel)
            XCTAssertEqual(newest.skipped, [])
            XCTAssertGreaterThanOrEqual(try XCTUnwrap(newest.checkpoint).record.id, announced[1])
            XCTAssertEqual(try store.load(id: announced[1]).record.sha256, announced[2])
        }
        XCTAssertGreaterThan(leftovers, 0, "no writer was killed in the middle of a write")
    }
}
