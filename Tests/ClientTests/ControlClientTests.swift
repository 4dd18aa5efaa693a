// What `clusterd ctl` does with answers, with none, and with a file that comes in pieces.

import Checkpoints
import Client
import Foundation
import Remote
import StreamProtocol
import Synchronization
import XCTest
import ZeroMQ

final class ControlClientTests: XCTestCase {
    private func client(_ endpoint: String, timeout: Duration = .seconds(20)) throws -> ControlClient {
        try ControlClient(endpoint: endpoint, timeout: timeout, stop: try StopSignal())
    }

    private func folder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("control-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        addTeardownBlock { try? FileManager.default.removeItem(at: folder) }
        return folder.path
    }

    private static let file = (0..<10_500).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }

    func testNobodyThereIsToldSoon() throws {
        let endpoint = unusedEndpoint()
        XCTAssertThrowsError(try client(endpoint, timeout: .milliseconds(300)).ask("status")) {
            guard case ControlError.noAnswer(_, _, isConnected: false) = $0 else { return XCTFail("\($0)") }
            XCTAssertTrue(($0 as? ControlError)?.isTemporary ?? false)
            XCTAssertTrue("\($0)".hasPrefix("nobody answers at \(endpoint)"), "\($0)")
        }
    }

    func testSilenceIsToldFromAbsence() throws {
        let silent = try ScriptedEndpoint { _ in nil }
        XCTAssertThrowsError(try client(silent.endpoint, timeout: .seconds(4)).ask("save")) {
            guard case ControlError.noAnswer(_, _, isConnected: true) = $0 else { return XCTFail("\($0)") }
        }
        let deadline = ContinuousClock.now + .seconds(20)
        while silent.requests.isEmpty, ContinuousClock.now < deadline { Thread.sleep(forTimeInterval: 0.01) }
        XCTAssertEqual(silent.requests.map(\.operation), ["save"])
    }

    func testARefusalSaysWhy() throws {
        let endpoint = try ScriptedEndpoint { _ in ControlFailure(.refused, "no \u{1B}[31mway").frames }
        XCTAssertThrowsError(try client(endpoint.endpoint).ask("reload")) {
            XCTAssertEqual("\($0)", "no \u{FFFD}[31mway (refused)", "without what would colour a terminal")
        }
        let odd = try ScriptedEndpoint { _ in [Array("hello".utf8)] }
        XCTAssertThrowsError(try client(odd.endpoint).ask("status"))
    }

    func testAFileIsFetchedAndChecked() throws {
        let endpoint = try ScriptedEndpoint.checkpoint(Self.file)
        let folder = try folder()
        for (id, path) in [("step-000000007", folder + "/model"), ("newest", folder)] {
            let fetch = CheckpointFetch(id, into: path, client: try client(endpoint.endpoint))
            var told: [Int] = []
            try fetch.run { told.append($0.bytes) }
            XCTAssertEqual(told.first, 0)
            XCTAssertEqual(told.last, Self.file.count)
            XCTAssertEqual([UInt8](try Data(contentsOf: URL(fileURLWithPath: fetch.path))), Self.file)
        }
        XCTAssertEqual(
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted(),
            ["model", "step-000000007.safetensors"])
    }

    func testAFetchThatIsCutOffGoesOn() throws {
        let folder = try folder()
        let first = try ScriptedEndpoint.checkpoint(Self.file) { $0 < 5000 }
        XCTAssertThrowsError(
            try CheckpointFetch(
                "newest", into: folder + "/model", client: try client(first.endpoint, timeout: .seconds(4))
            ).run { _ in })
        XCTAssertFalse(FileManager.default.fileExists(atPath: folder + "/model"))
        let second = try ScriptedEndpoint.checkpoint(Self.file)
        try CheckpointFetch("newest", into: folder + "/model", client: try client(second.endpoint)).run { _ in }
        XCTAssertEqual(second.requests[1].arguments["offset"], JSON(5000))
        XCTAssertEqual([UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/model"))), Self.file)
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder), ["model"])
    }

    func testWhatAnotherFileHasLeftIsFetchedAnew() throws {
        let folder = try folder()
        let left = folder + "/model.step-000000007.partial"
        try Data([UInt8](repeating: 0xAA, count: 3000)).write(to: URL(fileURLWithPath: left))
        let endpoint = try ScriptedEndpoint.checkpoint(Self.file)
        try CheckpointFetch("newest", into: folder + "/model", client: try client(endpoint.endpoint)).run { _ in }
        XCTAssertEqual([UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/model"))), Self.file)
    }

    func testAFileThatIsNotWhatWasAnnouncedIsNotKept() throws {
        let folder = try folder()
        let endpoint = try ScriptedEndpoint.checkpoint(Self.file, sha256: ScriptedEndpoint.digest([1]))
        XCTAssertThrowsError(
            try CheckpointFetch("newest", into: folder + "/model", client: try client(endpoint.endpoint)).run { _ in }
        ) { XCTAssertTrue("\($0)".contains("SHA-256 differs"), "\($0)") }
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder), [])
    }

    func testADaemonThatIsStartedAgainIsAskedAgain() throws {
        let asked = DispatchSemaphore(value: 0)
        let first = try ScriptedEndpoint.checkpoint(Self.file) { offset in
            if offset >= 3000 { asked.signal() }
            return offset < 3000
        }
        let folder = try folder()
        let address = first.endpoint
        let successor = Mutex<ScriptedEndpoint?>(nil)
        let kept = DispatchSemaphore(value: 0)
        let restart = Thread {
            asked.wait()
            first.close()
            let second = try? ScriptedEndpoint.checkpoint(Self.file, at: address)
            successor.withLock { $0 = second }
            kept.signal()
        }
        restart.start()
        try CheckpointFetch("newest", into: folder + "/model", client: try client(address)).run { _ in }
        XCTAssertEqual([UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/model"))), Self.file)
        // It answers before it is kept.
        XCTAssertEqual(kept.wait(timeout: .now() + 20), .success)
        XCTAssertEqual(successor.withLock { $0?.requests.first?.arguments["offset"] }, JSON(3000))
    }

    func testAStatusAsLines() throws {
        let reply = ControlReply([
            "version": .string("1.2"), "uptime": .number(61.5),
            "health": .object(["ok": .bool(false), "problems": .array([.string("collapsed")])]),
            "model": .object(["id": .string("step-000000200"), "step": JSON(210), "label_epoch": JSON(0)]),
            "assigning": .object([
                "images": JSON(70_000), "images_per_second": .number(1234.5), "seq": JSON(70_000), "waiting": JSON(0),
            ]),
            "training": .object([
                "paused": .bool(true), "step": JSON(212), "images": JSON(54_272), "images_per_second": .number(0),
                "waiting": JSON(12), "skipped_steps": JSON(1),
                "loss": .object(["total": .number(6.1234), "instance": .number(4), "cluster": .number(2)]),
            ]),
            "clusters": .object([
                "sizes": .array([JSON(69_000), JSON(1000)]), "largest_share": .number(0.985), "collapsed": .bool(true),
            ]),
            "checkpoint": .object(["id": .string("step-000000200"), "bytes": JSON(256_000_000), "churn": .number(0.05)]
            ),
            "queues": .array([.object(["name": .string("stream"), "images": JSON(3), "bytes": JSON(4096)])]),
            "sources": .object([
                "cam\u{1B}": .object([
                    "received": JSON(10), "admitted": JSON(8), "rejected": .object(["x": JSON(1), "y": JSON(1)]),
                    "dropped": .object([:]), "missing": JSON(0),
                ]),
                "idle": .object(["received": JSON(0)]),
            ]),
        ])
        let text = ControlDisplay(json: false).text(of: reply, to: "status")
        XCTAssertEqual(
            text,
            """
            health      collapsed
            model       step-000000200, step 210, label epoch 0
            assigning   70,000 images, 1,235/s, last seq 70,000, 0 waiting
            training    paused at step 212, 54,272 images, 0.0/s, 12 waiting, 1 skipped
            loss        6.123 (instance 4.000, cluster 2.000)
            clusters    COLLAPSED, largest 98.5% of late; sizes 69,000 1,000
            checkpoint  step-000000200, 256 MB, churn 5.0%
            version     1.2, up 1:02

            queue   images   bytes
            stream       3  4.1 kB

            source  received  admitted  rejected  dropped  missing
            cam\u{FFFD}          10         8         2        0        0
            """)
        // Whatever a daemon of another version says, something is shown.
        XCTAssertFalse(ControlDisplay(json: false).text(of: ControlReply(), to: "status").isEmpty)
        let change = ControlReply([
            "model": .object(["id": .string("step-000000800-epoch-1"), "label_epoch": JSON(1)]),
            "relabeling": .object(["agreement": .number(0.912), "images": JSON(256)]),
            "save_failure": .string("no room"),
        ])
        XCTAssertEqual(
            ControlDisplay(json: false).text(of: change, to: "reload"),
            """
            step-000000800-epoch-1 serves, label epoch 1; the map from old clusters to new ones holds for 91.2% of \
            256 remembered images
            its checkpoint could not be written, which is tried again: no room
            """)
        XCTAssertEqual(
            ControlDisplay(json: true).text(of: ControlReply(["a": JSON(1)]), to: "status"), #"{"ok":true,"a":1}"#)
    }
}
