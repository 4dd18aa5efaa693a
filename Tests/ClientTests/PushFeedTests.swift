// Feeding by PUSH: everything arrives, in order, however slow or late the receiver; and what is said when it does not.

import Client
import Datasets
import Foundation
import StreamProtocol
import XCTest
import ZeroMQ

final class PushFeedTests: XCTestCase {
    func testImagesArriveAsADaemonReadsThem() throws {
        let context = try ZeroMQContext()
        var pull = try patientSocket(context, .pull)
        let settings = try FeedSettings(endpoint: try pull.bind(anyPort), source: "cam1")
        let feed = try RunningFeed(try numberedImages(3), passes: 2, settings: settings)
        for number in 0..<6 {
            let image = try receiveImage(&pull)
            XCTAssertEqual(image.source, "cam1")
            XCTAssertEqual(image.sequence, UInt64(number + 1))
            XCTAssertEqual(image.id, "n/\(number % 3)")
            XCTAssertEqual(image.label, .number(Int64(number % 3)))
            XCTAssertEqual(image.encoding, .raw(height: 1, width: 2, channels: 1, color: .gray))
            XCTAssertEqual(image.payload, [UInt8(number % 3), 0])
            let age = Date().timeIntervalSince1970 - Double(try XCTUnwrap(image.taken)) / 1e9
            XCTAssertTrue((-1...20).contains(age), "taken \(age) s ago")
        }
        let outcome = feed.wait()
        XCTAssertNil(outcome.error)
        XCTAssertEqual(outcome.progress.sent, 6)
        XCTAssertEqual(outcome.progress.bytes, 12)
        XCTAssertEqual(outcome.progress.total, 6)
    }

    func testNothingIsLostWhereTheReceiverHasNoRoom() throws {
        let context = try ZeroMQContext()
        var pull = try patientSocket(context, .pull)
        try pull.set(.receiveHighWaterMark, 1)
        let settings = try FeedSettings(endpoint: try pull.bind(anyPort))
        // More than the buffers of the kernel take, so that the feed has to wait.
        let feed = try RunningFeed(try numberedImages(1000, height: 200, width: 250), settings: settings)
        feed.wait { $0.obstacle == .receiverBusy }
        XCTAssertLessThan(feed.current.progress.sent, 1000)
        for number in 0..<1000 { XCTAssertEqual(try receiveImage(&pull).sequence, UInt64(number + 1)) }
        XCTAssertNil(feed.wait().error)
        XCTAssertNil(try pull.tryReceive())
    }

    func testAReceiverMayComeLate() throws {
        let endpoint = unusedEndpoint()
        let feed = try RunningFeed(try numberedImages(5), settings: try FeedSettings(endpoint: endpoint))
        feed.wait { $0.obstacle == .noReceiver }
        XCTAssertEqual(feed.current.progress.sent, 0)
        var pull = try patientSocket(try ZeroMQContext(), .pull)
        _ = try pull.bind(endpoint)
        for number in 0..<5 { XCTAssertEqual(try receiveImage(&pull).sequence, UInt64(number + 1)) }
        XCTAssertNil(feed.wait().error)
    }

    func testAReceiverMayConnect() throws {
        let context = try ZeroMQContext()
        let endpoint = "ipc://\(NSTemporaryDirectory())feed-\(UUID().uuidString.prefix(8))"
        var pull = try patientSocket(context, .pull)
        try pull.set(.reconnectInterval, .milliseconds(10))
        let feed = try RunningFeed(try numberedImages(5), settings: try FeedSettings(endpoint: endpoint, binds: true))
        try pull.connect(endpoint)
        for number in 0..<5 { XCTAssertEqual(try receiveImage(&pull).sequence, UInt64(number + 1)) }
        XCTAssertNil(feed.wait().error)
    }

    func testAReceiverThatDoesNotComeIsGivenUp() throws {
        let endpoint = unusedEndpoint()
        let settings = try FeedSettings(endpoint: endpoint, timeout: .milliseconds(200))
        let outcome = try RunningFeed(try numberedImages(5), settings: settings).wait()
        guard case .noReceiver(endpoint, _, _, inDoubt: 0) = outcome.error else {
            return XCTFail("\(String(describing: outcome.error))")
        }
        XCTAssertEqual(outcome.error?.isTemporary, true)
        XCTAssertEqual(outcome.progress.sent, 0)
    }

    func testAReceiverThatVanishesLeavesImagesInDoubt() throws {
        let context = try ZeroMQContext(linger: .zero)
        var pull = try patientSocket(context, .pull)
        let settings = try FeedSettings(endpoint: try pull.bind(anyPort), timeout: .seconds(3))
        let feed = try RunningFeed(try numberedImages(3), passes: nil, settings: settings)
        for _ in 0..<100 { _ = try receiveImage(&pull) }
        pull.close()
        let outcome = feed.wait()
        guard case .noReceiver(settings.endpoint, let waited, _, let inDoubt) = outcome.error else {
            return XCTFail("\(String(describing: outcome.error))")
        }
        XCTAssertGreaterThanOrEqual(waited, .seconds(3))
        XCTAssertTrue((1...64).contains(inDoubt))
        XCTAssertGreaterThanOrEqual(outcome.progress.sent, 100)
        XCTAssertTrue(outcome.events.contains(.connectionLost))
        XCTAssertTrue("\(outcome.error!)".contains("Up to \(inDoubt) of the images"))
    }

    func testAReceiverThatComesBackGetsTheRest() throws {
        let context = try ZeroMQContext(linger: .zero)
        var pull = try patientSocket(context, .pull)
        try pull.set(.receiveHighWaterMark, 1)
        let endpoint = try pull.bind(anyPort)
        // More than the buffers of the kernel take: however late the receiver leaves, there is a rest.
        let feed = try RunningFeed(
            try numberedImages(500, height: 100, width: 100), passes: 10,
            settings: try FeedSettings(endpoint: endpoint, rate: 5000))
        XCTAssertEqual(try receiveImage(&pull).sequence, 1)
        pull.close()
        feed.wait { $0.obstacle == .noReceiver }
        var again = try patientSocket(context, .pull)
        try bindFreed(&again, endpoint)
        var last: UInt64 = 0
        while last < 5000 {
            let sequence = try XCTUnwrap(try receiveImage(&again).sequence)
            XCTAssertGreaterThan(sequence, last)
            last = sequence
        }
        let outcome = feed.wait()
        XCTAssertNil(outcome.error)
        XCTAssertEqual(outcome.events, [.connectionLost, .connectionRestored])
    }

    func testLastImagesThatDoNotLeaveAreSaid() throws {
        let context = try ZeroMQContext(linger: .zero)
        var pull = try patientSocket(context, .pull)
        try pull.set(.receiveHighWaterMark, 1)
        let settings = try FeedSettings(endpoint: try pull.bind(anyPort), timeout: .seconds(3))
        // The kernel's buffers fill up; then exactly the queue's length follows.
        let feed = try RunningFeed(try numberedImages(400, height: 250, width: 400), settings: settings)
        // Before, the receiver seems busy whenever libzmq's thread is late: the count has to stand still for a while.
        var before = 0
        var since = ContinuousClock.now
        feed.wait { progress in
            if progress.sent != before || progress.obstacle != .receiverBusy {
                before = progress.sent
                since = .now
            }
            return .now - since > .seconds(1)
        }
        feed.stop.request()
        let outcome = feed.wait()
        guard case .lastImagesStuck(settings.endpoint, _, let inDoubt) = outcome.error else {
            return XCTFail("\(String(describing: outcome.error))")
        }
        XCTAssertTrue((1...64).contains(inDoubt))
        XCTAssertGreaterThanOrEqual(outcome.progress.sent, before)
        XCTAssertLessThan(outcome.progress.sent, 400)
    }

    func testStoppingEndsAWait() throws {
        let endpoint = unusedEndpoint()
        let feed = try RunningFeed(try numberedImages(5), settings: try FeedSettings(endpoint: endpoint))
        feed.wait { $0.obstacle == .noReceiver }
        feed.stop.request()
        let outcome = feed.wait()
        XCTAssertNil(outcome.error)
        XCTAssertEqual(outcome.progress.sent, 0)
    }

    func testUnreadableImagesAreNamedAndLeftOut() throws {
        let folder = NSTemporaryDirectory() + "feed-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        addTeardownBlock { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["1.jpg", "3.jpg"] { try Data([1]).write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
        try FileManager.default.createSymbolicLink(atPath: folder + "/2.jpg", withDestinationPath: "nowhere")
        let context = try ZeroMQContext()
        var pull = try patientSocket(context, .pull)
        let feed = try RunningFeed(
            try ImageCollection(opening: [folder]), settings: try FeedSettings(endpoint: try pull.bind(anyPort)))
        let received = try (0..<2).map { _ in try receiveImage(&pull) }
        XCTAssertEqual(received.map(\.id), ["1.jpg", "3.jpg"])
        XCTAssertEqual(received.map(\.sequence), [1, 2])
        let outcome = feed.wait()
        XCTAssertEqual(outcome.progress.unreadable, 1)
        XCTAssertEqual(outcome.events, [.unreadable(DatasetError(path: folder + "/2.jpg", reason: .notFound))])
    }

    func testAnEndpointThatCannotBeUsedIsSaid() throws {
        let outcome = try RunningFeed(try numberedImages(1), settings: try FeedSettings(endpoint: "bogus")).wait()
        guard case .socket(let error) = outcome.error else { return XCTFail("\(String(describing: outcome.error))") }
        XCTAssertEqual(error.endpoint, "bogus")
        XCTAssertEqual(outcome.error?.isTemporary, false)
    }

    /// Closing a socket frees its port a moment later, on libzmq's thread.
    private func bindFreed(_ socket: inout Socket, _ endpoint: String) throws {
        for _ in 0..<2000 {
            if (try? socket.bind(endpoint)) != nil { return }
            Thread.sleep(forTimeInterval: 0.01)
        }
        _ = try socket.bind(endpoint)
    }
}
