// A watch that asks a control endpoint, played by the test, for what it has missed.

import Client
import Foundation
import StreamProtocol
import XCTest
import ZeroMQ

final class ReplayTests: XCTestCase {
    private func assignment(_ sequence: UInt64, epoch: String = "one", source: String = "cam") -> AssignmentMessage {
        AssignmentMessage(
            epoch: epoch, sequence: sequence, source: source, received: 1, published: 2, cluster: 3, confidence: 0.5,
            step: 0, model: "m")
    }

    private func start(
        count: Int? = nil, source: String? = nil, from: UInt64? = nil
    ) throws -> (publisher: RunningPublisher, control: ControlDouble, watch: RunningWatch) {
        let publisher = try RunningPublisher(try patientSocket(try ZeroMQContext(), .xpub))
        let control = try ControlDouble(try patientSocket(try ZeroMQContext(), .router))
        let watch = try RunningWatch(
            try WatchSettings(
                endpoint: publisher.endpoint, control: control.endpoint, source: source, start: from, count: count))
        for _ in 0..<5 { try publisher.awaitSubscription() }
        return (publisher, control, watch)
    }

    private func numbers(_ events: [WatchEvent]) -> [UInt64] {
        events.compactMap { if case .assignment(let assignment, _) = $0 { assignment.sequence } else { nil } }
    }

    func testAGapIsAskedForAndFilled() throws {
        let (publisher, control, watch) = try start(count: 6)
        try publisher.send(assignment(1).frames)
        try publisher.send(assignment(4).frames)
        let request = try control.next()
        XCTAssertEqual(request, ReplayRequest(epoch: "one", from: 2))
        try control.answer("one", [assignment(2)], last: 4)
        XCTAssertEqual(try control.next(notBefore: 3).from, 3)
        try control.answer("one", [assignment(3), assignment(4)], last: 4)
        try publisher.send(HeartbeatMessage(epoch: "one", sequence: 6, published: 0).frames)
        XCTAssertEqual(try control.next(notBefore: 5).from, 5)
        try control.answer("one", [assignment(5), assignment(6)], last: 6)
        let (events, tally, _) = watch.wait()
        XCTAssertEqual(numbers(events), [1, 2, 3, 4, 5, 6])
        XCTAssertEqual(events.count, 6)
        XCTAssertEqual(tally.missing, 0)
        XCTAssertEqual(tally.replayed, 5)
        guard case .assignment(_, let json) = events[1] else { return XCTFail("\(events[1])") }
        XCTAssertEqual(json, assignment(2).body)
    }

    func testTheVeryFirstCanBeWatchedFrom() throws {
        let (publisher, control, watch) = try start(count: 3, from: 1)
        try publisher.send(HeartbeatMessage(epoch: "one", sequence: 90, published: 0).frames)
        XCTAssertEqual(try control.next().from, 1)
        try control.answer("one", [assignment(88), assignment(89), assignment(90)], last: 90, gap: 1...87)
        let (events, tally, _) = watch.wait()
        XCTAssertEqual(numbers(events), [88, 89, 90])
        XCTAssertEqual(events.first, .missing(1...87))
        XCTAssertEqual(tally.missing, 87)
    }

    func testOneSourceIsFilledToo() throws {
        let (publisher, control, watch) = try start(count: 3, source: "cam")
        try publisher.send(assignment(1).frames)
        try publisher.send(assignment(2, source: "other").frames)
        try publisher.send(assignment(5).frames)
        XCTAssertEqual(try control.next().from, 3)
        try control.answer("one", [assignment(3, source: "other"), assignment(4)], last: 5)
        XCTAssertEqual(numbers(watch.wait().events), [1, 4, 5])
    }

    func testAnEpochThatIsNotKnownAnyMoreIsTold() throws {
        let (publisher, control, watch) = try start(count: 2)
        try publisher.send(assignment(1).frames)
        watch.waitForNews()
        try publisher.send(assignment(1, epoch: "two").frames)
        XCTAssertEqual(try control.next(), ReplayRequest(epoch: "one", from: 2))
        try control.answer(ControlFailure(.unknownEpoch, "no").frames)
        XCTAssertEqual(
            watch.wait().events.dropFirst().first, .unknownEnd(epoch: "one", after: 1))
    }

    func testAnEndpointThatCannotReplayLeavesAGap() throws {
        let (publisher, control, watch) = try start(count: 2)
        try publisher.send(assignment(1).frames)
        try publisher.send(assignment(5).frames)
        _ = try control.next()
        try control.answer(ControlFailure(.unknownOperation, "no").frames)
        let events = watch.wait().events
        XCTAssertEqual(numbers(events), [1, 5])
        XCTAssertTrue(events.contains(.missing(2...4)), "\(events)")
    }

    func testNonsenseAndLateAnswersAreHarmless() throws {
        let (publisher, control, watch) = try start(count: 3)
        try publisher.send(assignment(1).frames)
        try publisher.send(assignment(3).frames)
        _ = try control.next()
        // An answer to nothing, frames that are none, and a failure that passes.
        try control.answer([Array("x".utf8)], envelope: [Array("99".utf8), []])
        try control.answer([], envelope: [[1]])
        try control.answer(ControlFailure(.unavailable, "later").frames)
        _ = try control.next()
        try control.answer("one", [assignment(2)], last: 3)
        XCTAssertEqual(numbers(watch.wait().events), [1, 2, 3])
    }
}

/// The daemon's control endpoint in a test: requests one by one, answers as the test gives them.
final class ControlDouble {
    let endpoint: String
    private var socket: Socket
    private var envelope: [[UInt8]] = []

    init(_ socket: consuming Socket) throws {
        var socket = socket
        endpoint = try socket.bind(anyPort)
        self.socket = socket
    }

    func next() throws -> ReplayRequest {
        guard case .frames(let frames) = try socket.receive() else { throw ZeroMQError(operation: "receive", code: 0) }
        envelope = Array(frames.dropLast())
        XCTAssertEqual(envelope.last, [])
        let request = try ControlRequest(parsing: frames.last ?? [])
        XCTAssertEqual(request.operation, "replay")
        return try ReplayRequest(request)
    }

    /// The next request that is not an earlier one made again, as it is where an answer takes long.
    func next(notBefore number: UInt64) throws -> ReplayRequest {
        var request = try next()
        for _ in 0..<20 where request.from < number { request = try next() }
        return request
    }

    func answer(_ frames: [[UInt8]], envelope other: [[UInt8]]? = nil) throws {
        try socket.send((other.map { [envelope[0]] + $0 } ?? envelope) + frames)
    }

    func answer(
        _ epoch: String, _ assignments: [AssignmentMessage], last: UInt64, gap: ClosedRange<UInt64>? = nil
    ) throws {
        let first = assignments[0].sequence
        try answer(
            ReplayReply(
                epoch: epoch, first: first, next: first + UInt64(assignments.count), last: last, gap: gap,
                assignments: assignments.map(\.body)
            ).reply.frames)
    }
}
