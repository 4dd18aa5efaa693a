// Sources whose senders wait for replies: every request gets one, at admission, whatever it brings.

import Daemon
import Foundation
import StreamProtocol
import XCTest
import ZeroMQ

final class GatewayReplyTests: XCTestCase {
    private static let ok = #"{"ok":true}"#

    private func header(_ text: String) -> [[UInt8]] { [Array(text.utf8), [1, 2, 3]] }

    /// The frames of the next message as texts.
    private func texts(_ socket: inout Socket) throws -> [String] {
        guard case .frames(let frames) = try socket.receive() else { throw CocoaError(.fileReadTooLarge) }
        return frames.map { String(decoding: $0, as: UTF8.self) }
    }

    private func ask(_ socket: inout Socket, _ frames: [[UInt8]]) throws -> String {
        try socket.send(frames)
        let reply = try texts(&socket)
        XCTAssertEqual(reply.count, 1)
        return reply[0]
    }

    func testARequestIsAnsweredAtAdmissionAsItsSendersExpect() throws {
        for (pattern, kind) in [(SourceSettings.Pattern.rep, SocketKind.req), (.pair, .pair)] {
            let rig = try GatewayRig([sourceSettings(.block, pattern: pattern)])
            defer { rig.gateway.finish() }
            let port = try XCTUnwrap(rig.endpoints.sources[0].split(separator: ":").last)
            var sender = try rig.sender(kind)
            // Nobody takes an image out of the queue meanwhile.
            XCTAssertEqual(try ask(&sender, numberedMessage(1)), Self.ok)
            XCTAssertEqual(try ask(&sender, header(#"{"msg": "cam 2"}"#)), "OK")
            XCTAssertEqual(
                try ask(&sender, header(#"{"terminate_flag": false, "compression": {"dct": true}, "message": 9}"#)),
                #"{"port":"\#(port)","return_type":"NoneType","data":null}"#)
            XCTAssertEqual(rig.gateway.queues.depths[0].images, 3)
            let taken = (0..<3).compactMap { _ in rig.gateway.queues.take(trainingRoom: { true })?.image }
            XCTAssertEqual(taken.map(\.source), ["cam1", "cam_2", "queue"])
            XCTAssertEqual(taken.map(\.id), ["image 1", nil, "9"])
        }
    }

    func testWhateverComesIsAnsweredOnce() throws {
        let bad: [(frames: [[UInt8]], reply: String)] = [
            ([[1, 2, 3]], #""code":"frame-count""#), ([[]], #""code":"frame-count""#),
            ([[], []], #""code":"header-not-json""#), (header("{"), #""code":"header-not-json""#),
            (header("{}"), #""code":"unknown-dialect""#),
            (numberedMessage(1, payload: []), #""code":"empty-payload""#),
            ([[UInt8]](repeating: [1], count: 50), #""code":"too-large""#),
            ([[UInt8]](repeating: [], count: 50), #""code":"too-large""#),
            (numberedMessage(1, payload: [UInt8](repeating: 0, count: 100_000_000)), #""code":"too-large""#),
            (header(#"{"msg": "a", "shape": [2, 2]}"#), "rejected: shape-mismatch"),
            (header(#"{"terminate_flag": 1}"#), #""data":"rejected: invalid-key""#),
        ]
        for (pattern, kind) in [(SourceSettings.Pattern.rep, SocketKind.req), (.pair, .pair)] {
            let rig = try GatewayRig([sourceSettings(.block, pattern: pattern)])
            defer { rig.gateway.finish() }
            var sender = try rig.sender(kind)
            for (number, bad) in bad.enumerated() {
                let reply = try ask(&sender, bad.frames)
                XCTAssertTrue(reply.contains(bad.reply), "case \(number): \(reply)")
                XCTAssertEqual(try ask(&sender, numberedMessage(number)), Self.ok)
            }
            XCTAssertEqual(rig.gateway.statistics.total.rejected.values.reduce(0, +), UInt64(bad.count))
            XCTAssertEqual(rig.takeNumbers(bad.count), (0..<bad.count).map { UInt64($0) })
        }
    }

    func testAMessageAsLargeAsOneMayBeIsAdmittedInAnEnvelopeToo() throws {
        let rig = try GatewayRig([sourceSettings(.block, pattern: .rep)]) { $0.messageLimits.maxMessageBytes = 1000 }
        defer { rig.gateway.finish() }
        var sender = try rig.sender(.req)
        let rest = numberedMessage(1, payload: []).reduce(0) { $0 + $1.count }
        XCTAssertEqual(
            try ask(&sender, numberedMessage(1, payload: [UInt8](repeating: 0, count: 1000 - rest))), Self.ok)
        let reply = try ask(&sender, numberedMessage(1, payload: [UInt8](repeating: 0, count: 1001 - rest)))
        XCTAssertTrue(reply.contains("too-large"), reply)
    }

    func testTheEnvelopeComesBackAsItWas() throws {
        let rig = try GatewayRig([sourceSettings(.block, pattern: .rep)])
        defer { rig.gateway.finish() }
        var dealer = try rig.sender(.dealer)
        // What REQ_CORRELATE and a proxy put in front, and a source without a name.
        try dealer.send([Array("proxy".utf8), Array("7777".utf8), []] + numberedMessage(1, source: ""))
        XCTAssertEqual(try texts(&dealer), ["proxy", "7777", "", Self.ok])
        // A DEALER that does not know of envelopes.
        try dealer.send(numberedMessage(2))
        XCTAssertEqual(try texts(&dealer), [Self.ok])
        // Requests that do not wait for one another's replies.
        for number in 3...100 { try dealer.send([[]] + numberedMessage(number)) }
        for _ in 3...100 { XCTAssertEqual(try texts(&dealer), ["", Self.ok]) }
        XCTAssertEqual(rig.takeNumbers(100), Array(1...100))
    }

    func testASenderThatHasGoneHoldsUpNobody() throws {
        let rig = try GatewayRig([sourceSettings(.block, pattern: .rep)])
        defer { rig.gateway.finish() }
        for number in 1...20 {
            var gone = try rig.sender(.req)
            // Sent out before the socket is closed, the reply never taken.
            try gone.set(.linger, .seconds(20))
            try gone.send(numberedMessage(number))
        }
        var sender = try rig.sender(.req)
        for number in 101...120 { XCTAssertEqual(try ask(&sender, numberedMessage(number)), Self.ok) }
        XCTAssertEqual(Set(rig.takeNumbers(40)), Set(Array(1...20) + Array(101...120)))
    }

    func testWithAFullQueueTheReplyWaitsForRoomAndNothingIsLost() throws {
        let rig = try GatewayRig([sourceSettings(.block, pattern: .rep)]) { $0.queueLimits.maxImages = 2 }
        defer { rig.gateway.finish() }
        var first = try rig.sender(.req)
        var second = try rig.sender(.req)
        var third = try rig.sender(.req)
        XCTAssertEqual(try ask(&first, numberedMessage(1)), Self.ok)
        XCTAssertEqual(try ask(&second, numberedMessage(2)), Self.ok)
        try third.send(numberedMessage(3))
        // The gateway is well and does not read it.
        for _ in 0..<10 { try rig.heartbeat() }
        XCTAssertNil(try third.tryReceive())
        XCTAssertEqual(rig.counters("cam1").received, 2)
        XCTAssertEqual(rig.takeNumbers(1), [1])
        XCTAssertEqual(try texts(&third), [Self.ok])
        XCTAssertEqual(rig.takeNumbers(2), [2, 3])
    }

    func testAnImageThatIsNotAdmittedIsRefused() throws {
        let rig = try GatewayRig([sourceSettings(.dropNewest, pattern: .rep)]) { $0.queueLimits.maxImages = 1 }
        defer { rig.gateway.finish() }
        var sender = try rig.sender(.req)
        XCTAssertEqual(try ask(&sender, numberedMessage(1)), Self.ok)
        let reply = try ask(&sender, numberedMessage(2))
        XCTAssertTrue(reply.hasPrefix(#"{"ok":false,"error":{"code":"dropped-newest""#), reply)
        XCTAssertEqual(try ask(&sender, header(#"{"msg": "cam1"}"#)), "rejected: dropped-newest")
        XCTAssertEqual(rig.counters("cam1").admitted, 1)
        XCTAssertEqual(rig.counters("cam1").dropped, ["dropped-newest": 2])
    }

    func testTheEndOfAStreamIsAnsweredAndTheNextSenderIsServed() throws {
        let image = header(#"{"terminate_flag": false, "compression": {"dct": true}, "message": null}"#)
        for (pattern, kind) in [(SourceSettings.Pattern.rep, SocketKind.req), (.pair, .pair)] {
            let rig = try GatewayRig([sourceSettings(.block, pattern: pattern)])
            defer { rig.gateway.finish() }
            for _ in 0..<3 {
                var sender = try rig.sender(kind)
                // A PAIR socket takes nobody before it has noticed that the one before has gone.
                try sender.set(.receiveTimeout, .milliseconds(500))
                while (try? ask(&sender, image)) == nil { sender = try rig.sender(kind) }
                try sender.set(.receiveTimeout, .seconds(20))
                XCTAssertEqual(rig.gateway.statistics.health().map(\.state), [.open])
                XCTAssertTrue(
                    try ask(&sender, [Array(#"{"terminate_flag": true}"#.utf8)]).contains(#""data":null"#))
                XCTAssertEqual(rig.gateway.statistics.health().map(\.state), [.ended])
            }
            XCTAssertGreaterThanOrEqual(rig.counters("queue").admitted, 3)
        }
    }

    func testAStopAnswersEveryRequestAndTheNextOnesWaitForTheNextDaemon() throws {
        let senders = 8
        var settings = sourceSettings(.dropOldest, pattern: .rep)
        let answers = Monitor([Int](repeating: 0, count: senders))
        let isOver = Monitor(false)
        func start() throws -> GatewayRig {
            // Much longer than the senders' pauses: each has sent its next request, and waits for the reply, when the
            // stop answers and closes.
            try GatewayRig([settings]) { $0.quietTime = .seconds(1) }
        }
        var rig: GatewayRig? = try start()
        settings.endpoint = rig!.endpoints.sources[0]
        let endpoint = settings.endpoint
        let context = try ZeroMQContext(linger: .zero)
        let threads = (0..<senders).map { sender in
            WorkerThread(name: "sender") {
                do {
                    var socket = try context.socket(.req)
                    try socket.set(.receiveTimeout, .seconds(20))
                    try socket.connect(endpoint)
                    while !isOver.read({ $0 }) {
                        try socket.send(numberedMessage(1, source: "cam\(sender)"))
                        _ = try socket.receive()
                        answers.withLock { $0[sender] += 1 }
                        // Without a pause the next request may be on its way before the end of the connection is,
                        // which on a busy machine comes later than the reply.
                        usleep(300_000)
                    }
                } catch {
                    XCTFail("sender \(sender) waits for its reply for ever: \(error)")
                }
            }
        }
        for thread in threads { thread.start() }
        func everyoneGoesOn() {
            let before = answers.read { $0 }
            let deadline = MonotonicTime.now.advanced(bySeconds: 25)
            let all: Bool = answers.wait { answers in
                if zip(answers, before).allSatisfy({ $0 > $1 + 1 }) { return .done(true) }
                return MonotonicTime.now < deadline ? .wait(until: deadline) : .done(false)
            }
            XCTAssertTrue(all, "\(before) \(answers.read { $0 })")
        }
        var admitted = 0
        for _ in 0..<3 {
            everyoneGoesOn()
            rig!.gateway.stopInput()
            rig!.gateway.finish()
            admitted += Int(rig!.gateway.statistics.total.admitted)
            rig = nil
            rig = try start()
        }
        everyoneGoesOn()
        isOver.withLock { $0 = true }
        for thread in threads { thread.join() }
        rig!.gateway.finish()
        admitted += Int(rig!.gateway.statistics.total.admitted)
        XCTAssertEqual(answers.read { $0.reduce(0, +) }, admitted, "as many replies as images")
    }
}
