// Feeding by REQ: an image is sent when the one before has been answered, and again when its answer is missing.

import Client
import Foundation
import StreamProtocol
import XCTest
import ZeroMQ

final class RequestFeedTests: XCTestCase {
    func testEachImageIsAnswered() throws {
        let context = try ZeroMQContext()
        var reply = try patientSocket(context, .rep)
        let settings = try FeedSettings(pattern: .req, endpoint: try reply.bind(anyPort))
        let feed = try RunningFeed(try numberedImages(20), settings: settings)
        for number in 0..<20 {
            XCTAssertEqual(try receiveImage(&reply).sequence, UInt64(number + 1))
            XCTAssertEqual(feed.current.progress.sent, number)
            try reply.send([Array("OK".utf8)])
        }
        let outcome = feed.wait()
        XCTAssertNil(outcome.error)
        XCTAssertEqual(outcome.progress.sent, 20)
    }

    func testARequestIsSentAgainWhereItsAnswerIsMissing() throws {
        let context = try ZeroMQContext()
        // A ROUTER may leave a request unanswered.
        var router = try patientSocket(context, .router)
        let settings = try FeedSettings(
            pattern: .req, endpoint: try router.bind(anyPort), timeout: .seconds(8))
        let feed = try RunningFeed(try numberedImages(1), settings: settings)
        guard case .frames(let first) = try router.receive() else { return XCTFail("too large") }
        guard case .frames(let second) = try router.receive() else { return XCTFail("too large") }
        XCTAssertNotEqual(first[0], second[0], "a fresh connection")
        XCTAssertEqual(first[2], second[2])
        XCTAssertEqual(first[4], second[4])
        try router.send([second[0], [], Array("OK".utf8)])
        let outcome = feed.wait()
        XCTAssertNil(outcome.error)
        XCTAssertEqual(outcome.events, [.resending(id: "n/0")])
    }

    func testAReceiverThatNeverAnswersIsGivenUp() throws {
        let context = try ZeroMQContext()
        var pull = try patientSocket(context, .router)
        let settings = try FeedSettings(
            pattern: .req, endpoint: try pull.bind(anyPort), timeout: .seconds(3))
        let outcome = try RunningFeed(try numberedImages(3), settings: settings).wait()
        guard case .noReply(settings.endpoint, let waited, "n/0", 2) = outcome.error else {
            return XCTFail("\(String(describing: outcome.error))")
        }
        XCTAssertGreaterThanOrEqual(waited, .seconds(3))
        XCTAssertEqual(outcome.progress.sent, 0)
        XCTAssertEqual(outcome.error?.isTemporary, true)
    }

    func testStoppingEndsTheWaitForAnAnswer() throws {
        let context = try ZeroMQContext()
        var reply = try patientSocket(context, .rep)
        let feed = try RunningFeed(
            try numberedImages(3), settings: try FeedSettings(pattern: .req, endpoint: try reply.bind(anyPort)))
        _ = try receiveImage(&reply)
        feed.stop.request()
        let outcome = feed.wait()
        XCTAssertNil(outcome.error)
        XCTAssertEqual(outcome.progress.sent, 0)
    }

    func testARefusalIsToldAndCounted() throws {
        let context = try ZeroMQContext()
        var reply = try patientSocket(context, .rep)
        let settings = try FeedSettings(pattern: .req, endpoint: try reply.bind(anyPort))
        let feed = try RunningFeed(try numberedImages(3), settings: settings)
        for number in 0..<3 {
            _ = try receiveImage(&reply)
            let answer = number == 1 ? Reply.refused(reason: "too-small", detail: "1 x 2") : .admitted
            try reply.send([answer.frame(in: .clusterd, port: "1")])
        }
        let outcome = feed.wait()
        XCTAssertNil(outcome.error)
        XCTAssertEqual(outcome.events, [.refused(id: "n/1", reason: "too-small")])
        XCTAssertEqual([outcome.progress.sent, outcome.progress.refused], [3, 1])
        XCTAssertTrue(FeedDisplay.summary(outcome.progress, interrupted: false).contains("; 1 of them refused"))
    }

    func testAReceiverThatWasAwayHasAllTheTimeForItsReply() throws {
        let context = try ZeroMQContext()
        var first: Socket? = try patientSocket(context, .rep)
        let endpoint = try first!.bind(anyPort)
        let settings = try FeedSettings(pattern: .req, endpoint: endpoint, timeout: .seconds(10))
        let feed = try RunningFeed(try numberedImages(1), settings: settings)
        _ = try receiveImage(&first!)
        first = nil
        // Away, and then slow: longer than the timeout together, and neither longer than it may be, which is the
        // timeout for the one and half of it for the other.
        var start = ContinuousClock.now
        feed.wait { _ in .now - start > .milliseconds(7500) }
        var second = try patientSocket(context, .rep)
        while (try? second.bind(endpoint)) == nil { second = try patientSocket(context, .rep) }
        _ = try receiveImage(&second)
        start = .now
        feed.wait { _ in .now - start > .milliseconds(3000) }
        try second.send([Array("OK".utf8)])
        let outcome = feed.wait()
        XCTAssertNil(outcome.error)
        XCTAssertEqual(outcome.progress.sent, 1)
    }
}
