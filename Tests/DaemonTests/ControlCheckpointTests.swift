// Checkpoints by way of the control endpoint: asked for, listed and fetched; and training paused.

import Checkpoints
import Daemon
import Foundation
import StreamProtocol
import XCTest
import ZeroMQ

final class ControlCheckpointTests: XCTestCase {
    private func bytes(_ running: RunningService, _ id: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(running.folder.path)/\(id).safetensors")))
    }

    func testSaveWritesWhatHasBeenLearntAndSaysWhat() throws {
        let running = try RunningService(batchSize: 4)
        let client = try running.controlClient()
        let first = try client.ask("save")
        XCTAssertEqual(first["checkpoint.id"], .string("step-000000000"), "also before the first step")
        var sender = try running.sender()
        for number in 0..<8 { try sender.send(greyMessage(number)) }
        running.training.waitForTrained(2)
        let second = try client.ask("save")
        XCTAssertEqual(second["checkpoint.id"], .string("step-000000002"))
        XCTAssertEqual(try client.ask("save")["checkpoint"], second["checkpoint"], "it is not written again")
        let file = try bytes(running, "step-000000002")
        XCTAssertEqual(second["checkpoint.bytes"]?.integer(), file.count)
        let checkpoint = try Checkpoint(path: running.folder.path + "/step-000000002.safetensors")
        XCTAssertEqual(second["checkpoint.sha256"], .string(checkpoint.record.sha256))

        let list = try XCTUnwrap(try client.ask("checkpoints")["checkpoints"]?.elements)
        XCTAssertEqual(list.map { $0.members?["id"] }, [.string("step-000000002"), .string("step-000000000")])
        XCTAssertEqual(list[0], second["checkpoint"])
        XCTAssertEqual(try client.ask("status")["checkpoint.id"], .string("step-000000002"))
    }

    func testASaveThatFailsSaysWhy() throws {
        let running = try RunningService()
        try FileManager.default.removeItem(atPath: running.folder.path)
        XCTAssertThrowsError(try running.controlClient().ask("save")) {
            XCTAssertEqual(($0 as? ControlFailure)?.code, "failed")
            XCTAssertTrue("\($0)".contains("No such file or directory"), "\($0)")
        }
        let status = try running.controlClient().ask("status")
        XCTAssertEqual(status["health.problems"], .array([.string("checkpoint-failed")]))
    }

    func testAFileComesInPieces() throws {
        let running = try RunningService()
        let client = try running.controlClient()
        _ = try client.ask("save")
        let file = try bytes(running, "step-000000000")
        let whole = try client.ask("fetch", ["id": .string("step-000000000")])
        XCTAssertEqual(whole.attachments, [file])
        XCTAssertEqual(whole["bytes"]?.integer(), file.count)
        var pieces: [UInt8] = []
        while pieces.count < file.count {
            let piece = try client.ask(
                "fetch", ["id": .string("step-000000000"), "offset": JSON(pieces.count), "length": JSON(100)])
            pieces += piece.attachments[0]
        }
        XCTAssertEqual(pieces, file)
        let end = try client.ask("fetch", ["id": .string("step-000000000"), "offset": JSON(file.count)])
        XCTAssertEqual(end.attachments, [[]])
    }

    func testWhatCannotBeFetchedIsRefused() throws {
        let running = try RunningService()
        let client = try running.controlClient()
        _ = try client.ask("save")
        let requests: [(String, code: String)] = [
            (#"{"op":"fetch"}"#, "invalid-argument"), (#"{"op":"fetch","id":7}"#, "invalid-argument"),
            (#"{"op":"fetch","id":"step-000000001"}"#, "not-found"),
            (#"{"op":"fetch","id":"../../etc/passwd"}"#, "not-found"), (#"{"op":"fetch","id":""}"#, "not-found"),
            (#"{"op":"fetch","id":"step-000000000","offset":-1}"#, "invalid-argument"),
            (#"{"op":"fetch","id":"step-000000000","offset":1e300}"#, "invalid-argument"),
            (#"{"op":"fetch","id":"step-000000000","offset":9223372036854775807}"#, "invalid-argument"),
            (#"{"op":"fetch","id":"step-000000000","offset":"0"}"#, "invalid-argument"),
            (#"{"op":"fetch","id":"step-000000000","length":0}"#, "invalid-argument"),
            (#"{"op":"fetch","id":"step-000000000","length":1048577}"#, "invalid-argument"),
        ]
        for (request, code) in requests {
            XCTAssertEqual(try client.refusal(of: [Array(request.utf8)]), code, request)
        }
    }

    func testAPauseStopsTrainingAndNothingElse() throws {
        let running = try RunningService(batchSize: 4)
        let client = try running.controlClient()
        XCTAssertEqual(try client.ask("pause")["paused"], .bool(true))
        var sender = try running.sender()
        // More than the training buffer holds, so senders would wait if they waited for training.
        for number in 0..<40 { try sender.send(greyMessage(number)) }
        XCTAssertEqual(try running.assignments(40).count, 40)
        XCTAssertEqual(running.training.trained.count, 0)
        XCTAssertEqual(try client.ask("status")["training.paused"], .bool(true))
        XCTAssertEqual(running.service.summary.leftOutPaused, 40)

        XCTAssertEqual(try client.ask("resume")["paused"], .bool(false))
        for number in 40..<44 { try sender.send(greyMessage(number)) }
        running.training.waitForTrained(1)
        XCTAssertEqual(running.training.trained.map(\.batch), [[40, 41, 42, 43]])
    }

    func testAPausedDaemonStopsInOrder() throws {
        let running = try RunningService(batchSize: 4, gateOpen: false)
        let client = try running.controlClient()
        var sender = try running.sender()
        for number in 0..<4 { try sender.send(greyMessage(number)) }
        running.gate.waitForArrival()
        for number in 4..<10 { try sender.send(greyMessage(number)) }
        _ = try running.assignments(10)
        _ = try client.ask("pause")
        running.gate.open()
        let summary = running.service.stop()
        XCTAssertEqual(summary.trained, 4)
        XCTAssertEqual(summary.leftOutRest, 6)
        XCTAssertEqual(try running.folder.checkpoints, ["step-000000001.safetensors"])
    }
}
