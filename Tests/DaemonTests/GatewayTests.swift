// The Gateway over real sockets on loopback ports that the system picks.

import Daemon
import Foundation
import Logging
import StreamProtocol
import XCTest
import ZeroMQ

final class GatewayTests: XCTestCase {
    func testImagesAreAdmittedInOrderWithTheirNames() throws {
        let rig = try GatewayRig([sourceSettings(.block)])
        defer { rig.gateway.finish() }
        var sender = try rig.sender()
        for number in 1...50 { try sender.send(numberedMessage(number)) }
        for number in 1...50 {
            let taken = try XCTUnwrap(rig.gateway.queues.take(trainingRoom: { true }))
            XCTAssertEqual(taken.image.source, "cam1")
            XCTAssertEqual(taken.image.id, "image \(number)")
            XCTAssertEqual(taken.image.sequence, UInt64(number))
            XCTAssertEqual(taken.image.payload, [1, 2, 3])
            XCTAssertGreaterThan(taken.image.received, 1_600_000_000_000_000_000)
        }
        // An image is counted when it can be taken already.
        rig.gateway.finish()
        XCTAssertEqual(rig.counters("cam1").admitted, 50)
        XCTAssertEqual(rig.counters("cam1").missing, 0)
    }

    func testASubSourceHearsEveryPublisher() throws {
        let rig = try GatewayRig([sourceSettings(.dropOldest, pattern: .sub)])
        defer { rig.gateway.finish() }
        for camera in ["one", "two"] {
            var publisher = try rig.sender(.xpub)
            XCTAssertEqual(try publisher.receive(), .frames([[1]]))
            try publisher.send(numberedMessage(1, source: camera))
            XCTAssertEqual(rig.gateway.queues.take(trainingRoom: { true })?.image.source, camera)
        }
    }

    func testASourceCanConnectToItsSender() throws {
        let context = try ZeroMQContext()
        var sender = try context.socket(.push)
        var settings = sourceSettings(.block)
        settings.role = .connect
        settings.endpoint = try sender.bind(anyPort)
        let rig = try GatewayRig([settings])
        defer { rig.gateway.finish() }
        XCTAssertEqual(rig.endpoints.sources, [settings.endpoint])
        try sender.send(numberedMessage(1))
        XCTAssertEqual(rig.takeNumbers(1), [1])
    }

    func testAFullBlockingQueuePushesTheSenderBackAndNothingIsLost() throws {
        let rig = try GatewayRig([sourceSettings(.block)]) {
            $0.queueLimits.maxImages = 4
            $0.receiveHighWaterMark = 4
        }
        defer { rig.gateway.finish() }
        var sender = try rig.sender(highWaterMark: 4)
        try sender.set(.sendTimeout, .milliseconds(200))
        let payload = [UInt8](repeating: 9, count: 1 << 20)
        let count = 100
        var sent = 0
        do {
            while sent < count {
                try sender.send(numberedMessage(sent, payload: payload))
                sent += 1
            }
            XCTFail("nobody takes an image, and yet the sender was never pushed back")
        } catch {
            XCTAssertTrue(error.isTimeout, "\(error)")
        }
        while rig.gateway.queues.depths[0].images < 4 { try rig.heartbeat() }
        XCTAssertEqual(rig.gateway.queues.depths.first?.images, 4)

        let gateway = rig.gateway
        let numbers = Monitor<[UInt64]>([])
        let taker = WorkerThread(name: "taker") {
            for _ in 0..<count {
                XCTAssertLessThanOrEqual(gateway.queues.depths[0].images, 4)
                let taken = gateway.queues.take(trainingRoom: { true })
                numbers.withLock { $0.append(taken!.image.sequence!) }
            }
        }
        taker.start()
        try sender.set(.sendTimeout, .seconds(20))
        for number in sent..<count { try sender.send(numberedMessage(number, payload: payload)) }
        taker.join()
        XCTAssertEqual(numbers.read { $0 }, (0..<count).map { UInt64($0) })
        XCTAssertEqual(rig.counters("cam1").dropped, [:])
    }

    func testDropOldestIsCountedAndToldExactly() throws {
        let rig = try GatewayRig([sourceSettings(.dropOldest)]) { $0.queueLimits.maxImages = 4 }
        defer { rig.gateway.finish() }
        var sender = try rig.sender()
        for number in 1...10 { try sender.send(numberedMessage(number)) }
        for number in 1...6 {
            let (topic, body) = try rig.published()
            XCTAssertEqual(topic, "rejected/cam1")
            XCTAssertEqual(body["reason"] as? String, "dropped-oldest")
            XCTAssertEqual(body["id"] as? String, "image \(number)")
        }
        XCTAssertEqual(rig.takeNumbers(4), [7, 8, 9, 10])
        XCTAssertEqual(rig.counters("cam1").dropped, ["dropped-oldest": 6])
        XCTAssertEqual(rig.counters("cam1").admitted, 10)
    }

    func testDropNewestIsCountedAndToldExactly() throws {
        let rig = try GatewayRig([sourceSettings(.dropNewest)]) { $0.queueLimits.maxImages = 4 }
        defer { rig.gateway.finish() }
        var sender = try rig.sender()
        for number in 1...10 { try sender.send(numberedMessage(number)) }
        for number in 5...10 {
            let (topic, body) = try rig.published()
            XCTAssertEqual(topic, "rejected/cam1")
            XCTAssertEqual(body["reason"] as? String, "dropped-newest")
            XCTAssertEqual(body["id"] as? String, "image \(number)")
        }
        XCTAssertEqual(rig.takeNumbers(4), [1, 2, 3, 4])
        XCTAssertEqual(rig.counters("cam1").dropped, ["dropped-newest": 6])
        XCTAssertEqual(rig.counters("cam1").admitted, 4)
    }

    func testAFullSourceDoesNotHoldUpAnother() throws {
        let rig = try GatewayRig([sourceSettings(.block, name: "full"), sourceSettings(.block, name: "other")]) {
            $0.queueLimits.maxImages = 2
        }
        defer { rig.gateway.finish() }
        var full = try rig.sender(source: 0)
        for number in 1...20 { try full.send(numberedMessage(number, source: "full")) }
        var other = try rig.sender(source: 1)
        for number in 1...3 { try other.send(numberedMessage(number, source: "other")) }
        // Served in turn, the other source has had its three images taken after at most six.
        var counts: [String: Int] = [:]
        while counts["other", default: 0] < 3 {
            counts[try XCTUnwrap(rig.gateway.queues.take(trainingRoom: { true })).image.source, default: 0] += 1
        }
        while counts["full", default: 0] < 20 {
            counts[try XCTUnwrap(rig.gateway.queues.take(trainingRoom: { true })).image.source, default: 0] += 1
        }
        XCTAssertEqual(counts, ["full": 20, "other": 3])
    }

    func testBadMessagesAreRejectedByNameAndTheGatewayGoesOn() throws {
        let rig = try GatewayRig([sourceSettings(.block)])
        defer { rig.gateway.finish() }
        var sender = try rig.sender()
        let bad: [[[UInt8]]] = [
            [[1, 2, 3]],
            [Array("cam1".utf8), Array("not json".utf8), [1]],
            [[UInt8]](repeating: [1], count: 50),
            numberedMessage(1, payload: [UInt8](repeating: 0, count: 100_000_000)),
        ]
        for (number, message) in bad.enumerated() {
            try sender.send(message)
            let (topic, body) = try rig.published()
            XCTAssertTrue(topic.hasPrefix("rejected/"), topic)
            XCTAssertFalse((body["reason"] as? String ?? "").isEmpty, "\(body)")
            XCTAssertEqual(rig.gateway.statistics.total.rejected.values.reduce(0, +), UInt64(number) + 1)
        }
        try sender.send(numberedMessage(2))
        XCTAssertEqual(rig.takeNumbers(1), [2])
    }

    func testATooLargeImageIsRejectedUnderItsSendersName() throws {
        let rig = try GatewayRig([sourceSettings(.block)])
        defer { rig.gateway.finish() }
        var sender = try rig.sender()
        try sender.send(numberedMessage(1, payload: [UInt8](repeating: 0, count: 100_000_000)))
        XCTAssertEqual(try rig.published().topic, "rejected/cam1")
        XCTAssertEqual(rig.counters("cam1").rejected.values.reduce(0, +), 1)
    }

    func testAPortInUseIsNamedAndNothingRuns() throws {
        let context = try ZeroMQContext()
        var other = try context.socket(.pull)
        let taken = try other.bind(anyPort)
        for atPublisher in [false, true] {
            let settings = GatewaySettings(
                sources: [SourceSettings(name: "queue", endpoint: atPublisher ? anyPort : taken)],
                publishEndpoint: atPublisher ? taken : anyPort)
            let gateway = try Gateway(settings: settings, logger: Logger(label: "test"))
            XCTAssertThrowsError(try gateway.start(heartbeat: { [[]] })) {
                XCTAssertTrue("\($0)".contains("cannot bind \(taken): port already in use"), "\($0)")
            }
            gateway.stopInput()
            gateway.finish()
        }
    }

    func testStartingAndStoppingTwiceIsHarmless() throws {
        let rig = try GatewayRig([sourceSettings(.block)])
        XCTAssertEqual(try rig.gateway.start(heartbeat: { [[]] }), rig.endpoints)
        rig.gateway.stopInput()
        rig.gateway.stopInput()
        rig.gateway.finish()
        rig.gateway.finish()
        rig.gateway.stopInput()
    }

    func testAfterStopInputNothingIsAdmittedButPublishingGoesOn() throws {
        let rig = try GatewayRig([sourceSettings(.block)])
        defer { rig.gateway.finish() }
        var sender = try rig.sender()
        try sender.send(numberedMessage(1))
        XCTAssertEqual(rig.takeNumbers(1), [1])
        rig.gateway.stopInput()
        try sender.send(numberedMessage(2))
        rig.gateway.outbox.append([Array("assignment/cam1/3".utf8), Array(#"{"seq":1}"#.utf8)])
        XCTAssertEqual(try rig.published().topic, "assignment/cam1/3")
        rig.gateway.queues.close()
        XCTAssertNil(rig.gateway.queues.take(trainingRoom: { true }))
    }

    func testStopInputStillReadsWhatConnectedSendersHaveSent() throws {
        let rig = try GatewayRig([sourceSettings(.block)]) {
            // Most of them have not been read yet when the stop begins.
            $0.queueLimits.maxImages = 100
            $0.quietTime = .seconds(2)
            $0.drainTime = .seconds(20)
        }
        defer { rig.gateway.finish() }
        var sender = try rig.sender()
        for number in 1...500 { try sender.send(numberedMessage(number)) }
        while rig.counters("cam1").admitted < 100 { try rig.heartbeat() }
        let gateway = rig.gateway
        let stopper = WorkerThread(name: "stopper") {
            gateway.stopInput()
            gateway.queues.close()
        }
        stopper.start()
        for _ in 1...5 { try rig.heartbeat() }
        XCTAssertEqual(rig.takeNumbers(500), Array(1...500))
        stopper.join()
    }

    func testASenderThatNeverPausesDoesNotHoldUpTheStop() throws {
        let rig = try GatewayRig([sourceSettings(.block)]) { $0.drainTime = .milliseconds(300) }
        defer { rig.gateway.finish() }
        var sender = try rig.sender()
        try sender.send(numberedMessage(0))
        while rig.counters("cam1").admitted == 0 { try rig.heartbeat() }
        try sender.set(.sendTimeout, .milliseconds(50))
        let gateway = rig.gateway
        let stopper = WorkerThread(name: "stopper") { gateway.stopInput() }
        stopper.start()
        var number = 0
        repeat {
            number += 1
            // Times out once the daemon reads no more.
            try? sender.send(numberedMessage(number))
        } while stopper.isRunning
    }

    func testFinishLosesNothingForAConnectedSubscriber() throws {
        let rig = try GatewayRig([sourceSettings(.block)])
        let count = 20_000
        for number in 0..<count {
            rig.gateway.outbox.append([Array("assignment/cam1/0".utf8), Array(#"{"seq":\#(number)}"#.utf8)])
        }
        let gateway = rig.gateway
        let finisher = WorkerThread(name: "finisher") { gateway.finish() }
        finisher.start()
        for number in 0..<count { XCTAssertEqual(try rig.published().body["seq"] as? Int, number) }
        finisher.join()
    }

    func testAStuckSubscriberDoesNotHoldUpTheEnd() throws {
        let rig = try GatewayRig([sourceSettings(.block)], subscriberHighWaterMark: 1) {
            $0.linger = .milliseconds(100)
        }
        let payload = [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<100 { rig.gateway.outbox.append([Array("assignment/cam1/0".utf8), payload]) }
        let start = ContinuousClock.now
        // Without this the subscriber would be gone, and with it what it has not taken, before the end begins.
        withExtendedLifetime(rig) { rig.gateway.finish() }
        let taken = ContinuousClock.now - start
        XCTAssertGreaterThanOrEqual(taken, .milliseconds(100))
        XCTAssertLessThan(taken, .seconds(10))
    }

    func testAHeartbeatNeverOvertakesWhatItCounts() throws {
        let last = Monitor(0)
        var settings = GatewaySettings(sources: [], publishEndpoint: anyPort)
        settings.heartbeatInterval = .milliseconds(1)
        let gateway = try Gateway(settings: settings, logger: Logger(label: "test"))
        let endpoints = try gateway.start(heartbeat: { [Array("heartbeat".utf8), Array("\(last.read { $0 })".utf8)] })
        let context = try ZeroMQContext(linger: .zero)
        var subscriber = try context.socket(.sub)
        try subscriber.set(.subscribe, [])
        try subscriber.set(.receiveTimeout, .seconds(20))
        try subscriber.connect(endpoints.publisher)
        _ = try subscriber.receive()
        let count = 20_000
        let publisher = WorkerThread(name: "publisher") {
            for number in 1...count {
                gateway.outbox.append([Array("assignment".utf8), Array("\(number)".utf8)])
                last.withLock { $0 = number }
            }
        }
        publisher.start()
        var seen = 0
        while seen < count {
            guard case .frames(let frames) = try subscriber.receive() else { return XCTFail("too large") }
            let number = try XCTUnwrap(Int(String(decoding: frames[1], as: UTF8.self)))
            if frames[0] == Array("heartbeat".utf8) {
                XCTAssertLessThanOrEqual(number, seen)
            } else {
                XCTAssertEqual(number, seen + 1)
                seen = number
            }
        }
        publisher.join()
        gateway.finish()
    }
}
