// What the daemon publishes: the exact bytes, and that consumers read back what was written.

import SeededRandom
import StreamProtocol
import XCTest

final class PublishedMessageTests: XCTestCase {
    private let epoch = "6f1c0d2e-0b7a-4c56-9b1e-6a3f1d2c4b5a"

    private var assignment: AssignmentMessage {
        AssignmentMessage(
            epoch: epoch, sequence: 1842, source: "cam1", id: "0042.jpg", sourceSequence: 42, taken: 1,
            received: 1_795_498_908_754_577_642, published: 1_795_498_908_754_577_643, cluster: 7, confidence: 0.93,
            step: 1200, model: "step-000001200")
    }

    func testAnAssignmentsBytes() {
        XCTAssertEqual(
            assignment.frames.map(text),
            [
                "assignment/cam1/7",
                #"{"v":1,"epoch":"6f1c0d2e-0b7a-4c56-9b1e-6a3f1d2c4b5a","seq":1842,"source":"cam1","id":"0042.jpg","#
                    + #""source_seq":42,"t":1,"t_received":1795498908754577642,"t_published":1795498908754577643,"#
                    + #""cluster":7,"confidence":0.93,"step":1200,"model":"step-000001200","label_epoch":0}"#,
            ])
    }

    func testWhatTheSenderDidNotGiveIsNull() throws {
        var message = assignment
        message.id = nil
        message.sourceSequence = nil
        message.taken = nil
        let body = text(message.frames[1])
        XCTAssertTrue(body.contains(#""id":null,"source_seq":null,"t":null,"t_received""#), body)
        XCTAssertEqual(try AssignmentMessage(frames: message.frames), message)
        // A consumer also reads a message without these keys.
        let without = body.replacing(#""id":null,"source_seq":null,"t":null,"#, with: "")
        XCTAssertEqual(try AssignmentMessage(frames: [message.frames[0], Array(without.utf8)]), message)
    }

    func testProbabilitiesAndEmbedding() throws {
        var message = assignment
        message.probabilities = [0.0625, 0.93, 1e-9]
        XCTAssertTrue(text(message.frames[1]).hasSuffix(#""label_epoch":0,"probabilities":[0.0625,0.93,1e-09]}"#))
        message.embedding = [1, -0.5, .greatestFiniteMagnitude]
        // numpy.array([1, -0.5, 3.4028234663852886e38], "<f4").tobytes()
        XCTAssertEqual(message.frames.count, 3)
        XCTAssertEqual(message.frames[2], [0, 0, 0x80, 0x3F, 0, 0, 0, 0xBF, 0xFF, 0xFF, 0x7F, 0x7F])
        XCTAssertEqual(try AssignmentMessage(frames: message.frames), message)
        message.embedding = []
        message.probabilities = []
        XCTAssertEqual(try AssignmentMessage(frames: message.frames), message)
    }

    func testWhatIsNoNumberIsNull() throws {
        var message = assignment
        message.confidence = .nan
        message.probabilities = [.nan, .infinity, 0.5]
        let body = text(message.frames[1])
        XCTAssertTrue(body.contains(#""confidence":null,"#), body)
        XCTAssertTrue(body.contains(#""probabilities":[null,null,0.5]"#), body)
        let read = try AssignmentMessage(frames: message.frames)
        XCTAssertTrue(read.confidence.isNaN)
        XCTAssertEqual(read.probabilities?.map(\.isNaN), [true, true, false])
    }

    func testAssignmentsSurviveTheRoundTrip() throws {
        var generator = SeededGenerator(state: 4)
        let ids: [String?] = [nil, "", "0042.jpg", "kü\"\\\n\0😀", String(repeating: "x", count: 5000)]
        for _ in 0..<5000 {
            let message = AssignmentMessage(
                epoch: epoch, sequence: generator.next(), source: "cam-\(generator.next() % 100)",
                id: ids.randomElement(using: &generator)!, sourceSequence: Bool.random(using: &generator) ? .max : nil,
                taken: Bool.random(using: &generator) ? .random(in: .min ... .max, using: &generator) : nil,
                received: .random(in: .min ... .max, using: &generator), published: .max,
                cluster: Int(generator.next() % 1000), confidence: .random(in: 0...1, using: &generator),
                step: generator.next(), model: "step-000000001", labelEpoch: 3,
                probabilities: (0..<10).map { _ in .random(in: 0...1, using: &generator) },
                embedding: (0..<16).map { _ in .random(in: -1...1, using: &generator) })
            XCTAssertEqual(try PublishedMessage(frames: message.frames), .assignment(message))
        }
    }

    func testARejection() throws {
        let message = RejectedMessage(source: "cam1", id: "a.jpg", reason: "truncated-jpeg")
        XCTAssertEqual(
            message.frames.map(text), ["rejected/cam1", #"{"v":1,"id":"a.jpg","reason":"truncated-jpeg"}"#])
        XCTAssertEqual(try PublishedMessage(frames: message.frames), .rejected(message))
        let nameless = RejectedMessage(source: "cam1", id: nil, reason: "frame-count")
        XCTAssertEqual(text(nameless.frames[1]), #"{"v":1,"id":null,"reason":"frame-count"}"#)
        XCTAssertEqual(try PublishedMessage(frames: nameless.frames), .rejected(nameless))
    }

    func testAHeartbeat() throws {
        let message = HeartbeatMessage(epoch: epoch, sequence: .max - 1, published: 1_795_498_908_754_577_642)
        XCTAssertEqual(
            message.frames.map(text),
            ["heartbeat", #"{"v":1,"epoch":"\#(epoch)","seq":18446744073709551614,"t":1795498908754577642}"#])
        XCTAssertEqual(try PublishedMessage(frames: message.frames), .heartbeat(message))
    }

    func testACheckpoint() throws {
        let hash = String(repeating: "0f", count: 32)
        let message = CheckpointMessage(
            id: "step-000001200", step: 1200, byteCount: 256_000_000, sha256: hash, written: 1_795_498_908_754_577_642,
            labelEpoch: 2, labels: [.text("cat"), nil, .number(7)], churn: 0.1)
        XCTAssertEqual(
            message.frames.map(text),
            [
                "checkpoint",
                #"{"v":1,"id":"step-000001200","step":1200,"bytes":256000000,"sha256":"\#(hash)","#
                    + #""t":1795498908754577642,"label_epoch":2,"labels":["cat",null,7],"churn":0.1}"#,
            ])
        XCTAssertEqual(try PublishedMessage(frames: message.frames), .checkpoint(message))
        let plain = CheckpointMessage(id: "a", step: 0, byteCount: 0, sha256: hash, written: 0)
        XCTAssertTrue(text(plain.frames[1]).hasSuffix(#""labels":[],"churn":null}"#))
        XCTAssertEqual(try PublishedMessage(frames: plain.frames), .checkpoint(plain))
    }

    func testUnknownTopicsAndKeysAreIgnored() throws {
        XCTAssertEqual(try PublishedMessage(frames: [Array("news".utf8)]), .other(topic: "news"))
        XCTAssertEqual(try PublishedMessage(frames: []), .other(topic: ""))
        let body = Array(#"{"v":1,"epoch":"e","seq":1,"t":2,"further":[{}]}"#.utf8)
        let read = try PublishedMessage(frames: [Array("heartbeat".utf8), body, [1]])
        XCTAssertEqual(read, .heartbeat(HeartbeatMessage(epoch: "e", sequence: 1, published: 2)))
    }

    func testMalformedMessagesAreNamed() throws {
        let body = text(assignment.frames[1])
        let cases: [(String, String, String)] = [
            ("assignment/cam1/7", "{", "not JSON"), ("assignment/cam1/7", "[]", "not an object"),
            ("assignment/cam1/8", body, "belongs to the topic assignment/cam1/7"),
            ("assignment/cam2/7", body, "belongs to the topic assignment/cam1/7"),
            ("assignment/cam1/7", body.replacing(#""v":1"#, with: #""v":2"#), "v is not 1"),
            ("assignment/cam1/7", body.replacing(#""seq":1842,"#, with: ""), "seq is missing"),
            ("assignment/cam1/7", body.replacing(#""seq":1842"#, with: #""seq":-1"#), "seq is not an integer"),
            ("assignment/cam1/7", body.replacing(#""seq":1842"#, with: #""seq":0"#), "seq is not an integer"),
            (
                "assignment/cam1/7", body.replacing(#""seq":1842"#, with: #""seq":18446744073709551615"#),
                "seq is not an integer of at least 1"
            ),
            ("heartbeat", #"{"v":1,"epoch":"e","seq":18446744073709551615,"t":1}"#, "seq is not an integer"),
            ("assignment/cam1/7", body.replacing(#""0042.jpg""#, with: "[]"), "id is not a string"),
            ("assignment/cam1/7", body.replacing("0.93", with: #""much""#), "confidence is not a number"),
            ("assignment/cam1/7", String(body.dropLast()) + #","probabilities":[0.5,""]}"#, "probabilities is not"),
            ("rejected/cam1", #"{"v":1,"id":null}"#, "reason is missing"),
            ("heartbeat", #"{"v":1,"epoch":"e","seq":null,"t":1}"#, "seq is missing"),
            (
                "checkpoint", #"{"v":1,"id":"a","step":1,"bytes":1,"sha256":"0","t":1,"label_epoch":0}"#,
                "labels is missing"
            ),
            (
                "checkpoint", #"{"v":1,"id":"a","step":1,"bytes":1,"sha256":"0","t":1,"label_epoch":0,"labels":[[]]}"#,
                "labels is not"
            ),
        ]
        for (topic, body, reason) in cases {
            XCTAssertThrowsError(try PublishedMessage(frames: [Array(topic.utf8), Array(body.utf8)]), reason) {
                XCTAssertTrue("\($0)".contains(reason) && "\($0)".contains(topic), "\($0)")
            }
        }
        for topic in ["assignment/cam1/7", "rejected/cam1", "heartbeat", "checkpoint"] {
            XCTAssertThrowsError(try PublishedMessage(frames: [Array(topic.utf8)]), topic)
        }
        XCTAssertThrowsError(try AssignmentMessage(frames: assignment.frames + [[1, 2, 3]]))
        XCTAssertThrowsError(try HeartbeatMessage(frames: assignment.frames))
        XCTAssertThrowsError(try RejectedMessage(frames: assignment.frames))
        XCTAssertThrowsError(try CheckpointMessage(frames: assignment.frames))
    }

    func testMutatedMessagesAreReadOrRefused() {
        var message = assignment
        message.probabilities = [0.5, 0.25]
        message.embedding = [1, 2]
        let hash = String(repeating: "0f", count: 32)
        let seeds = [
            message.frames, RejectedMessage(source: "cam1", id: "a", reason: "too-large").frames,
            HeartbeatMessage(epoch: epoch, sequence: 1, published: 2).frames,
            CheckpointMessage(id: "a", step: 1, byteCount: 2, sha256: hash, written: 3, labels: [.text("b"), nil])
                .frames,
        ]
        let alphabet = Array(#"{}[]",:\u0123456789e-./"#.utf8)
        var generator = SeededGenerator(state: 5)
        var readable = 0
        for number in 0..<fuzzingInputs / 4 {
            var frames = seeds[number % seeds.count]
            let index = Int.random(in: 0..<frames.count, using: &generator)
            frames[index] = generator.mutate(frames[index], alphabet: alphabet)
            if (try? PublishedMessage(frames: frames)) != nil { readable += 1 }
        }
        XCTAssertGreaterThan(readable, fuzzingInputs / 100)
    }
}
