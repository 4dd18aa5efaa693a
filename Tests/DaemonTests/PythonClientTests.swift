// Unmodified Python clients: imagezmq in both of its modes, raw and JPEG, a pyzmq PUSH sender and a pyzmq subscriber.

import Daemon
import Foundation
import StreamProtocol
import XCTest

final class PythonClientTests: XCTestCase {
    func testAPushSenderIsAnsweredToASubscriber() throws {
        let count = 300
        let running = try RunningService()
        let subscriber = try python("subscriber.py", [running.endpoints.publisher, "\(count)"])
        XCTAssertEqual(subscriber.lines(1).first, "ready", "\(subscriber.errors.read { $0.lines })")
        let sender = try python(
            "push_sender.py",
            [running.endpoints.sources[RunningService.queue], "\(count)", try jpegFile(in: running.folder)])
        XCTAssertEqual(sender.wait(), 0, "\(sender.errors.read { $0.lines })")
        XCTAssertEqual(subscriber.wait(), 0, "\(subscriber.errors.read { $0.lines })")

        let messages = try subscriber.output.read { $0.lines }.dropFirst().map {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
        }
        XCTAssertEqual(messages.map { $0["seq"] as? Int }, Array(1...count))
        XCTAssertEqual(messages.map { $0["id"] as? String }, (0..<count).map { "picture \($0)" })
        XCTAssertEqual(Set(messages.map { $0["source"] as? String }), ["python"])
        XCTAssertEqual(running.service.summary.missing, 0)
    }

    func testImageZMQPublishersAreAnswered() throws {
        let folder = try TemporaryFolder()
        for kind in ["raw", try jpegFile(in: folder)] {
            let sender = try python("imagezmq_sender.py", [kind])
            let endpoint = try XCTUnwrap(sender.lines(1).first, "\(sender.errors.read { $0.lines })")
            let running = try RunningService {
                $0.sources = [SourceSettings(name: "camera", endpoint: endpoint, role: .connect)]
            }
            let assignments = try running.assignments(10)
            XCTAssertEqual(Set(assignments.map(\.source)), ["raspberry_pi"])
            // The daemon may have heard the sender before this test heard the daemon.
            let first = assignments[0].sequence
            XCTAssertEqual(assignments.map(\.sequence), Array(first..<first + 10))
            if kind == "raw" { XCTAssertEqual(Set(assignments.map(\.cluster)), [1]) }
            try sender.input.close()
            XCTAssertEqual(sender.wait(), 0, "\(sender.errors.read { $0.lines })")
        }
    }

    func testImageZMQRequestsAreAnsweredAtAdmissionWhileAStepIsUnderWay() throws {
        let count = 40
        for kind in ["raw", "jpeg"] {
            let running = try RunningService(gateOpen: false) {
                $0.sources = [SourceSettings(name: "cameras", endpoint: anyPort, pattern: .rep, overload: .block)]
            }
            let file = try jpegFile(in: running.folder)
            let sender = try python(
                "imagezmq_request_sender.py", [running.endpoints.sources[0], kind == "raw" ? kind : file, "\(count)"])
            XCTAssertEqual(sender.wait(), 0, "\(sender.errors.read { $0.lines })")
            let lines = sender.output.read { $0.lines }.map { $0.split(separator: " ") }
            XCTAssertEqual(lines.map(\.first), [Substring?](repeating: "OK", count: count))
            // Replies that wait for the step all do; a busy machine leaves the quickest as they are.
            XCTAssertLessThan(lines.compactMap { Double($0[1]) }.sorted()[count / 10], 0.05, "seconds, \(lines)")
            let assignments = try running.assignments(count)
            XCTAssertEqual(Set(assignments.map(\.source)), ["raspberry_pi"])
            if kind == "raw" { XCTAssertEqual(Set(assignments.map(\.cluster)), [1]) }
            XCTAssertEqual(running.service.summary.trained, 0, "the step is still under way")
            XCTAssertEqual(running.service.summary.dropped, [:])
        }
    }

    func testAPlainRequestSocketCanAskForEverything() throws {
        let running = try RunningService()
        var sender = try running.sender()
        for number in 0..<40 { try sender.send(greyMessage(number, grey: UInt8(number % 4 * 64))) }
        _ = try running.assignments(40)
        running.training.waitForTrained(10)
        let client = try python("control.py", [try XCTUnwrap(running.endpoints.control)])
        XCTAssertEqual(client.wait(), 0, "\(client.errors.read { $0.lines })")
        XCTAssertEqual(
            client.output.read { $0.lines },
            [
                #"{"op": "status", "ok": true, "seq": 40, "mode": "train"}"#,
                #"{"op": "replay", "ok": true, "gap": null, "seqs": [2, 3, 4]}"#,
                #"{"op": "save", "ok": true, "id": "step-000000010"}"#,
                #"{"op": "fetch", "id": "step-000000010", "whole": true}"#,
                #"{"op": "reload", "ok": true, "label_epoch": 1, "map": [0, 1, 2, 3]}"#,
                #"{"op": "rollback", "ok": true, "label_epoch": 2}"#,
                #"{"op": "refusal", "ok": false, "code": "not-found"}"#,
                #"{"op": "malformed", "code": "malformed"}"#,
            ])
    }

    func testTheDocumentedConsumerGetsEachAssignmentOnceHoweverOftenItIsCutOff() throws {
        let running = try RunningService()
        let publisher = try CuttableProxy(to: running.endpoints.publisher)
        let document = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../docs/wire.md").standardized.path
        let consumer = try python(
            "documented.py",
            [
                document, "def catch_up", "tcp://127.0.0.1:5557=\(publisher.endpoint)",
                "tcp://127.0.0.1:5558=\(running.endpoints.control ?? "")",
            ])
        var sender = try running.sender()
        var published: [AssignmentMessage] = []
        func stream(_ count: Int) throws {
            for _ in 0..<count { try sender.send(greyMessage(published.count, grey: 9)) }
            published += try running.assignments(count)
        }
        for _ in 0..<5 {
            try stream(20)
            XCTAssertEqual(
                consumer.lines(published.count).count, published.count, "\(consumer.errors.read { $0.lines })")
            publisher.cut()
            try stream(20)
            publisher.mend()
        }
        XCTAssertEqual(consumer.lines(200), published.map { "\($0.sequence) \($0.id ?? "") \($0.cluster)" })
        consumer.signal(SIGKILL)
        _ = consumer.wait()
    }
}
