// Feeding by PUB: the first image waits for its first subscriber, and a slow one gets everything.

import Client
import StreamProtocol
import XCTest
import ZeroMQ

final class PublishFeedTests: XCTestCase {
    func testTheFirstImageWaitsForASubscriberToItsSource() throws {
        let context = try ZeroMQContext()
        var subscriber = try patientSocket(context, .sub)
        try subscriber.set(.subscribe, Array("other".utf8))
        let settings = try FeedSettings(pattern: .pub, endpoint: try subscriber.bind(anyPort), source: "cam1")
        let feed = try RunningFeed(try numberedImages(4), settings: settings)
        feed.wait { $0.obstacle == .noSubscriber }
        XCTAssertEqual(feed.current.progress.sent, 0)
        try subscriber.set(.subscribe, Array("cam".utf8))
        for number in 0..<4 { XCTAssertEqual(try receiveImage(&subscriber).sequence, UInt64(number + 1)) }
        XCTAssertNil(feed.wait().error)
    }

    func testASlowSubscriberGetsEverything() throws {
        let context = try ZeroMQContext()
        var subscriber = try patientSocket(context, .sub)
        try subscriber.set(.receiveHighWaterMark, 1)
        try subscriber.set(.subscribe, [])
        let settings = try FeedSettings(pattern: .pub, endpoint: try subscriber.bind(anyPort))
        let feed = try RunningFeed(try numberedImages(1000, height: 200, width: 250), settings: settings)
        // A SUB socket makes its subscriptions known when it is used.
        XCTAssertEqual(try receiveImage(&subscriber).sequence, 1)
        feed.wait { $0.obstacle == .receiverBusy }
        for number in 1..<1000 { XCTAssertEqual(try receiveImage(&subscriber).sequence, UInt64(number + 1)) }
        XCTAssertNil(feed.wait().error)
    }

    func testAReceiverThatDoesNotSubscribeIsGivenUp() throws {
        let context = try ZeroMQContext(linger: .zero)
        var subscriber = try patientSocket(context, .sub)
        // The time counts from the beginning: the handshake must be over long before.
        let settings = try FeedSettings(
            pattern: .pub, endpoint: try subscriber.bind(anyPort), timeout: .seconds(3))
        let outcome = try RunningFeed(try numberedImages(3), settings: settings).wait()
        guard case .noReceiver(settings.endpoint, _, wants: .subscriber, inDoubt: 0) = outcome.error else {
            return XCTFail("\(String(describing: outcome.error))")
        }
    }

    func testASubscriberThatLeavesIsWaitedForAndThenGivenUp() throws {
        let context = try ZeroMQContext(linger: .zero)
        var subscriber = try patientSocket(context, .sub)
        try subscriber.set(.subscribe, [])
        let settings = try FeedSettings(
            pattern: .pub, endpoint: try subscriber.bind(anyPort), timeout: .seconds(3))
        let feed = try RunningFeed(try numberedImages(3), passes: nil, settings: settings)
        for _ in 0..<10 { _ = try receiveImage(&subscriber) }
        subscriber.close()
        let outcome = feed.wait()
        guard case .noReceiver = outcome.error else { return XCTFail("\(String(describing: outcome.error))") }
    }
}
