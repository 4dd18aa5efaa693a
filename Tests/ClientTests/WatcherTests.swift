// Watching a publisher that the test plays: what is told, what is counted, what is missed, and when it ends.

import Client
import Foundation
import Remote
import StreamProtocol
import Synchronization
import XCTest
import ZeroMQ

/// A watch on a thread of its own.
final class RunningWatch: Sendable {
    let stop: StopSignal
    private let state = Mutex((events: [WatchEvent](), tally: WatchTally(), hasLostReader: false))
    private let ended = DispatchSemaphore(value: 0)
    /// Signalled for each event that counts.
    private let news = DispatchSemaphore(value: 0)

    /// - Parameter tellsWaiting: whether `.waiting` is told, which on a slow machine comes before any connection.
    init(_ settings: WatchSettings, output: Int32? = nil, tellsWaiting: Bool = false) throws {
        stop = try StopSignal()
        let thread = Thread { [self] in
            let watcher = Watcher(settings: settings, stop: stop)
            do throws(ZeroMQError) {
                try watcher.run(output: output) { event in
                    guard event != .idle, event != .connected, tellsWaiting || event != .waiting else { return true }
                    state.withLock { $0.events.append(event) }
                    news.signal()
                    return true
                }
            } catch {
                XCTFail("\(error)")
            }
            let (tally, hasLostReader) = (watcher.tally, watcher.hasLostReader)
            state.withLock { ($0.tally, $0.hasLostReader) = (tally, hasLostReader) }
            ended.signal()
        }
        thread.start()
    }

    func waitForNews(file: StaticString = #filePath, line: UInt = #line) {
        XCTAssertEqual(news.wait(timeout: .now() + 20), .success, "nothing is told", file: file, line: line)
    }

    func wait(file: StaticString = #filePath, line: UInt = #line) -> (
        events: [WatchEvent], tally: WatchTally, hasLostReader: Bool
    ) {
        XCTAssertEqual(ended.wait(timeout: .now() + 20), .success, "the watch does not end", file: file, line: line)
        return state.withLock { $0 }
    }
}

final class WatcherTests: XCTestCase {
    private func assignment(
        _ sequence: UInt64, source: String = "cam1", epoch: String = "one", cluster: Int = 3
    ) -> AssignmentMessage {
        AssignmentMessage(
            epoch: epoch, sequence: sequence, source: source, id: "\(sequence).jpg", received: 1_000_000,
            published: 3_500_000,
            cluster: cluster, confidence: 0.75, step: 7, model: "step-000000007")
    }

    /// A publisher, and a watch that has made its `topics` subscriptions.
    private func start(
        _ source: String? = nil, count: Int? = nil, output: Int32? = nil
    ) throws -> (publisher: RunningPublisher, watch: RunningWatch) {
        let publisher = try RunningPublisher(try patientSocket(try ZeroMQContext(), .xpub))
        let settings = try WatchSettings(endpoint: publisher.endpoint, source: source, count: count)
        let watch = try RunningWatch(settings, output: output)
        for _ in 0..<(source == nil ? 5 : 4) { try publisher.awaitSubscription() }
        return (publisher, watch)
    }

    func testAssignmentsAreToldWithTheirOwnJSON() throws {
        let (publisher, watch) = try start(count: 2)
        let (one, two) = (assignment(1), assignment(2, source: "cam2", cluster: 0))
        try publisher.send(one.frames)
        var spread = two.frames
        spread[1] = Array("\n".utf8) + spread[1] + Array("\r\n".utf8)
        try publisher.send(spread)
        let (events, tally, _) = watch.wait()
        XCTAssertEqual(
            events,
            [
                .assignment(one, json: one.frames[1]),
                .assignment(two, json: Array(" ".utf8) + two.frames[1] + Array("  ".utf8)),
            ])
        XCTAssertEqual(tally.assignments, 2)
        XCTAssertEqual(tally.clusters, [3: 1, 0: 1])
    }

    func testGapsAreTold() throws {
        let (publisher, watch) = try start(count: 4)
        try publisher.send(assignment(5).frames)
        try publisher.send(HeartbeatMessage(epoch: "one", sequence: 5, published: 0).frames)
        try publisher.send(assignment(8).frames)
        try publisher.send(HeartbeatMessage(epoch: "one", sequence: 9, published: 0).frames)
        try publisher.send(HeartbeatMessage(epoch: "one", sequence: 9, published: 0).frames)
        try publisher.send(assignment(10).frames)
        try publisher.send(assignment(2, epoch: "two").frames)
        let (events, tally, _) = watch.wait()
        let news = events.filter { if case .assignment = $0 { false } else { true } }
        XCTAssertEqual(
            news,
            [
                .missing(6...7), .missing(9...9), .unknownEnd(epoch: "one", after: 10), .newEpoch("two"),
                .missing(1...1),
            ])
        XCTAssertEqual(tally.missing, 4)
    }

    func testRejectionsCheckpointsAndMalformedMessagesAreTold() throws {
        let (publisher, watch) = try start(count: 1)
        let rejected = RejectedMessage(source: "cam1", id: "bad.jpg", reason: "truncated-jpeg")
        let checkpoint = CheckpointMessage(
            id: "step-000000200", step: 200, byteCount: 1, sha256: "00", written: 0, labelEpoch: 0, labels: [])
        let relabeling = RelabelingMessage(
            labelEpoch: 1, previousLabelEpoch: 0, model: "step-000000200-epoch-1", map: [1, 0, nil], agreement: 0.5,
            images: 9, published: 1)
        XCTAssertEqual(RelabelingMessage(body: relabeling.body), relabeling)
        XCTAssertNil(RelabelingMessage(body: "{}"))
        try publisher.send(rejected.frames)
        try publisher.send(relabeling.frames)
        try publisher.send(checkpoint.frames)
        try publisher.send(checkpoint.frames)
        try publisher.send([Array("assignment/cam1/3".utf8), Array("{".utf8)])
        try publisher.send(assignment(1).frames)
        let (events, tally, _) = watch.wait()
        XCTAssertEqual(events.count, 5)
        XCTAssertEqual(
            Array(events.prefix(3)), [.rejected(rejected), .relabeling(relabeling), .checkpoint(checkpoint)])
        guard case .malformed = events[3] else { return XCTFail("\(events[3])") }
        XCTAssertEqual(tally.rejected, 1)
        XCTAssertEqual(tally.malformed, 1)
    }

    func testOneSourceIsWatchedAlone() throws {
        let (publisher, watch) = try start("cam1", count: 2)
        try publisher.send(assignment(1).frames)
        try publisher.send(assignment(2, source: "cam10").frames)
        try publisher.send(RejectedMessage(source: "cam10", id: nil, reason: "x").frames)
        try publisher.send(RejectedMessage(source: "cam1", id: nil, reason: "y").frames)
        try publisher.send(assignment(9).frames)
        let (events, tally, _) = watch.wait()
        XCTAssertEqual(
            events,
            [
                .assignment(assignment(1), json: assignment(1).frames[1]),
                .rejected(RejectedMessage(source: "cam1", id: nil, reason: "y")),
                .assignment(assignment(9), json: assignment(9).frames[1]),
            ])
        XCTAssertEqual(tally.missing, 0)
    }

    func testAReaderThatGoesEndsTheWatch() throws {
        let pipe = Pipe()
        let (publisher, watch) = try start(output: pipe.fileHandleForWriting.fileDescriptor)
        try pipe.fileHandleForReading.close()
        XCTAssertTrue(watch.wait().hasLostReader)
        withExtendedLifetime(publisher) {}
    }

    func testStoppingEndsTheWatch() throws {
        let (publisher, watch) = try start()
        watch.stop.request()
        XCTAssertEqual(watch.wait().tally, WatchTally())
        withExtendedLifetime(publisher) {}
    }

    func testADaemonThatIsNotThereIsWaitedFor() throws {
        let endpoint = unusedEndpoint()
        let watch = try RunningWatch(try WatchSettings(endpoint: endpoint), tellsWaiting: true)
        watch.waitForNews()
        watch.stop.request()
        XCTAssertEqual(watch.wait().events, [.waiting])
    }
}

/// The daemon's side of the test.
final class RunningPublisher {
    let endpoint: String
    private var socket: Socket

    init(_ socket: consuming Socket) throws {
        var socket = socket
        try socket.set(.xpubVerbose, true)
        endpoint = try socket.bind(anyPort)
        self.socket = socket
    }

    func send(_ frames: [[UInt8]]) throws { try socket.send(frames) }

    func awaitSubscription() throws { _ = try socket.receive() }
}
