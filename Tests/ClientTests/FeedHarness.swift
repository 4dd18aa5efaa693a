// A feeder on a thread of its own, and the images it sends, for tests that play the receiver.

import Client
import Datasets
import Foundation
import Remote
import StreamProtocol
import Synchronization
import XCTest
import ZeroMQ

/// A feed that runs while the test does something else.
final class RunningFeed: Sendable {
    struct Outcome: Sendable {
        var progress = FeedProgress()
        var error: FeedError?
        var events: [FeedEvent] = []
    }

    let stop: StopSignal
    private let outcome = Mutex(Outcome())
    private let ended = DispatchSemaphore(value: 0)
    /// Signalled for each event.
    private let news = DispatchSemaphore(value: 0)

    /// Starts to feed `collection`.
    init(_ collection: ImageCollection, passes: Int? = 1, settings: FeedSettings) throws {
        stop = try StopSignal()
        let thread = Thread { [self] in
            let feeder = Feeder(settings: settings, stop: stop)
            var error: FeedError?
            do throws(FeedError) {
                try feeder.run(ImageStream(collection, passes: passes)) { event in
                    self.outcome.withLock { outcome in
                        switch event {
                        case .progress(let progress): outcome.progress = progress
                        default: outcome.events.append(event)
                        }
                    }
                    self.news.signal()
                }
            } catch let failure {
                error = failure
            }
            let (progress, failure) = (feeder.progress, error)
            outcome.withLock { outcome in
                outcome.progress = progress
                outcome.error = failure
            }
            ended.signal()
        }
        thread.start()
    }

    /// What has come of it so far.
    var current: Outcome { outcome.withLock { $0 } }

    /// Waits for the end.
    func wait(file: StaticString = #filePath, line: UInt = #line) -> Outcome {
        XCTAssertEqual(ended.wait(timeout: .now() + 20), .success, "the feed does not end", file: file, line: line)
        return current
    }

    /// Waits until the progress satisfies `condition`.
    func wait(
        file: StaticString = #filePath, line: UInt = #line, until condition: (FeedProgress) -> Bool
    ) {
        while !condition(current.progress) {
            guard news.wait(timeout: .now() + 20) == .success else {
                return XCTFail("still \(current.progress)", file: file, line: line)
            }
        }
    }
}

extension XCTestCase {
    /// `count` grey images of one pixel row; image i begins with i, low byte first.
    func numberedImages(_ count: Int, height: Int = 1, width: Int = 2) throws -> ImageCollection {
        let folder = NSTemporaryDirectory() + "feed-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        addTeardownBlock { try? FileManager.default.removeItem(atPath: folder) }
        func idx(_ shape: [Int]) -> Data {
            var header = Data([0, 0, 8, UInt8(shape.count)])
            for extent in shape { withUnsafeBytes(of: UInt32(extent).bigEndian) { header.append(contentsOf: $0) } }
            return header
        }
        var images = idx([count, height, width])
        for index in 0..<count {
            images.append(
                contentsOf: [UInt8(index & 255), UInt8(index >> 8 & 255)]
                    + [UInt8](repeating: 7, count: height * width - 2))
        }
        try images.write(to: URL(fileURLWithPath: folder + "/n-images-idx3-ubyte"))
        let labels = idx([count]) + Data((0..<count).map { UInt8($0 % 10) })
        try labels.write(to: URL(fileURLWithPath: folder + "/n-labels-idx1-ubyte"))
        return try ImageCollection(opening: [folder], labelled: true)
    }

    /// Receives a message and reads it as a daemon does.
    func receiveImage(_ socket: inout Socket) throws -> IncomingImage {
        guard case .frames(let frames) = try socket.receive() else {
            throw ZeroMQError(operation: "receive", code: EMSGSIZE)
        }
        let parser = MessageParser(
            dialect: .clusterd, color: .bgr, limits: MessageLimits(minSide: 1), defaultSource: "none")
        switch parser.parse(frames: frames, received: 0).content {
        case .image(let image): return image
        case .end, .rejected: throw ZeroMQError(operation: "read", code: EBADMSG)
        }
    }

    /// A socket that gives up rather than block the tests for ever.
    func patientSocket(_ context: ZeroMQContext, _ kind: SocketKind) throws -> Socket {
        var socket = try context.socket(kind)
        try socket.set(.receiveTimeout, .seconds(20))
        try socket.set(.sendTimeout, .seconds(20))
        try socket.set(.linger, .zero)
        return socket
    }
}

let anyPort = "tcp://127.0.0.1:*"

/// An address at which nothing listens, and nothing will: a port that is free could be given to another test.
func unusedEndpoint() -> String { "ipc://\(NSTemporaryDirectory())nobody-\(UUID().uuidString.prefix(8))" }
