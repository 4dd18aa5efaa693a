// Every pattern that clusterd uses, over real sockets on loopback ports that the system picks.

import XCTest
import ZeroMQ

final class PatternTests: XCTestCase {
    private let anyPort = "tcp://127.0.0.1:*"

    func testPushPullKeepsFramesAndOrder() throws {
        let context = try ZeroMQContext()
        var pull = try testSocket(context, .pull)
        var push = try testSocket(context, .push)
        try push.connect(try pull.bind(anyPort))

        let messages: [[[UInt8]]] = [
            [Array("cam1".utf8), [], [UInt8](repeating: 7, count: 100_000)], [[]], [[1], [2], [3], [4]],
        ]
        for message in messages { try push.send(message) }
        for message in messages { XCTAssertEqual(try pull.receive(), .frames(message)) }
        XCTAssertNil(try pull.tryReceive())
    }

    func testBindReturnsTheResolvedEndpoint() throws {
        let context = try ZeroMQContext()
        var pull = try testSocket(context, .pull)
        let endpoint = try pull.bind(anyPort)
        let port = try XCTUnwrap(Int(endpoint.dropFirst("tcp://127.0.0.1:".count)))
        XCTAssertTrue((1...65535).contains(port), endpoint)
    }

    func testSubscriberGetsOnlyItsTopics() throws {
        let context = try ZeroMQContext()
        var publisher = try testSocket(context, .xpub)
        var subscriber = try testSocket(context, .sub)
        try subscriber.set(.subscribe, Array("assignment/cam1/".utf8))
        try subscriber.connect(try publisher.bind(anyPort))
        XCTAssertEqual(try publisher.receive(), .frames([[1] + Array("assignment/cam1/".utf8)]))

        try publisher.send([Array("assignment/cam2/3".utf8), [0]])
        try publisher.send([Array("assignment/cam1/3".utf8), [1]])
        XCTAssertEqual(try subscriber.receive(), .frames([Array("assignment/cam1/3".utf8), [1]]))

        try subscriber.set(.unsubscribe, Array("assignment/cam1/".utf8))
        XCTAssertEqual(try publisher.receive(), .frames([[0] + Array("assignment/cam1/".utf8)]))
    }

    func testVerboseXPUBReportsEverySubscription() throws {
        let context = try ZeroMQContext()
        var publisher = try testSocket(context, .xpub)
        try publisher.set(.xpubVerbose, true)
        let endpoint = try publisher.bind(anyPort)
        var one = try testSocket(context, .xsub)
        var other = try testSocket(context, .xsub)
        try one.connect(endpoint)
        try other.connect(endpoint)
        try one.send([[1, 65]])
        XCTAssertEqual(try publisher.receive(), .frames([[1, 65]]))
        try other.send([[1, 65]])
        XCTAssertEqual(try publisher.receive(), .frames([[1, 65]]))
    }

    func testPublisherWithoutSubscribersDrops() throws {
        let context = try ZeroMQContext()
        var publisher = try testSocket(context, .pub)
        _ = try publisher.bind(anyPort)
        XCTAssertTrue(try publisher.trySend([[1]]))
    }

    func testRequestIsAnswered() throws {
        let context = try ZeroMQContext()
        var reply = try testSocket(context, .rep)
        var request = try testSocket(context, .req)
        try request.connect(try reply.bind(anyPort))
        try request.send([Array("image".utf8)])
        XCTAssertEqual(try reply.receive(), .frames([Array("image".utf8)]))
        try reply.send([Array("OK".utf8)])
        XCTAssertEqual(try request.receive(), .frames([Array("OK".utf8)]))
    }

    func testRouterAnswersADealerByItsRoutingID() throws {
        let context = try ZeroMQContext()
        var router = try testSocket(context, .router)
        var dealer = try testSocket(context, .dealer)
        try dealer.set(.routingID, Array("d1".utf8))
        try dealer.connect(try router.bind(anyPort))
        try dealer.send([[], [1]])
        XCTAssertEqual(try router.receive(), .frames([Array("d1".utf8), [], [1]]))
        try router.send([Array("d1".utf8), [], [2]])
        XCTAssertEqual(try dealer.receive(), .frames([[], [2]]))
    }

    func testPairTalksBothWays() throws {
        let context = try ZeroMQContext()
        var one = try testSocket(context, .pair)
        var other = try testSocket(context, .pair)
        try other.connect(try one.bind("inproc://pair"))
        try one.send([[1]])
        try other.send([[2]])
        XCTAssertEqual(try one.receive(), .frames([[2]]))
        XCTAssertEqual(try other.receive(), .frames([[1]]))
    }

    func testASocketMovesToAnotherThread() throws {
        // The sender is closed at once, and may have to connect yet.
        let context = try ZeroMQContext(linger: .seconds(20))
        var pull = try testSocket(context, .pull)
        let endpoint = try pull.bind(anyPort)
        let done = expectation(description: "sent from another thread")
        Thread {
            do {
                var push = try context.socket(.push)
                try push.connect(endpoint)
                try push.send([[42]])
            } catch {
                XCTFail("\(error)")
            }
            done.fulfill()
        }.start()
        XCTAssertEqual(try pull.receive(), .frames([[42]]))
        wait(for: [done], timeout: 60)
    }
}
