// How many assignments a second go through the journal to a subscriber. `CLUSTERD_JOURNAL_ASSIGNMENTS` says how many are
// made; a few without it, which shows that all arrive and not how fast.

import ContrastiveClustering
import Daemon
import Foundation
import Journal
import Logging
import StreamProtocol
import XCTest
import ZeroMQ

final class JournalRateTests: XCTestCase {
    func testAssignmentsAreJournaledAndPublished() throws {
        let count = ProcessInfo.processInfo.environment["CLUSTERD_JOURNAL_ASSIGNMENTS"].flatMap { Int($0) } ?? 20_000
        let folder = try TemporaryFolder()
        let (logger, _) = MemoryLog.logger()
        var settings = GatewaySettings(sources: [], publishEndpoint: "tcp://127.0.0.1:*")
        settings.publishHighWaterMark = 0
        let gateway = try Gateway(settings: settings, logger: logger)
        let journal = try Journal(settings: JournalSettings(directory: folder.path, keepRows: count / 2)) {
            XCTAssertNotNil($0)
        }
        let output = StreamOutput(
            outbox: gateway.outbox, journal: journal, statistics: gateway.statistics,
            ledger: CheckpointLedger(resumed: nil, interval: 30), sendsProbabilities: false, logger: logger)
        let epoch = journal.numbering.epoch
        let endpoints = try gateway.start(
            heartbeat: { HeartbeatMessage(epoch: epoch, sequence: 0, published: 0).frames }, onRequest: { _ in }
        )
        let context = try ZeroMQContext(linger: .zero)
        var subscriber = try context.socket(.sub)
        try subscriber.set(.receiveHighWaterMark, 0)
        try subscriber.set(.receiveTimeout, .seconds(30))
        try subscriber.set(.subscribe, [])
        try subscriber.connect(endpoints.publisher)
        _ = try subscriber.receive()

        // As in the daemon: batches of 32 from one thread, and the journal's own thread beside it.
        let isDone = Monitor(false)
        WorkerThread(name: "journal") {
            while !isDone.read({ $0 }) { journal.maintain(now: wallClockNanoseconds()) }
        }.start()
        let start = MonotonicTime.now
        let writing = Monitor(0.0)
        WorkerThread(name: "assigner") {
            var number = 0
            while number < count {
                let batch = (number..<min(count, number + 32)).map { number in
                    NumberedAssignment(
                        epoch: epoch, sequence: UInt64(number) + 1,
                        origin: grey(1, source: "camera-\(number % 8)", id: "folder/picture-\(number).jpg"),
                        assignment: Assignment(cluster: number % 10, confidence: 0.5, probabilities: []), step: 1,
                        labelEpoch: 0, published: wallClockNanoseconds())
                }
                _ = output.publish(batch)
                number += batch.count
            }
            writing.withLock { $0 = MonotonicTime.now.seconds(since: start) }
        }.start()
        var next: UInt64 = 1
        while next <= count {
            guard case .frames(let frames) = try subscriber.receive(),
                case .assignment(let message) = try PublishedMessage(frames: frames)
            else { continue }
            XCTAssertEqual(message.sequence, next)
            next += 1
        }
        let arrived = MonotonicTime.now.seconds(since: start)
        let written = writing.wait { $0 > 0 ? .done($0) : .wait(until: nil) }
        isDone.withLock { $0 = true }
        XCTAssertEqual(try journal.replay(epoch: nil, from: UInt64(count), limit: 1).messages.count, 1)
        journal.maintain(now: wallClockNanoseconds())
        XCTAssertEqual(journal.status.last, UInt64(count))
        XCTAssertEqual(journal.status.rows, count / 2)
        print(
            "\(count) assignments: \(Int(Double(count) / written)) a second written, \(Int(Double(count) / arrived)) received, "
                + "\(journal.status.bytes / Int64(count / 2)) bytes each")
        gateway.finish()
        journal.close()
    }
}
