// A consumer that stands still while the others read on: nobody waits for it, and it ends with everything.

import Daemon
import Foundation
import StreamProtocol
import XCTest
import ZeroMQ

final class SlowConsumerTests: XCTestCase {
    /// Sends images as fast as they are taken, and reads what is published meanwhile.
    ///
    /// - Returns: images a second.
    private func stream(_ range: Range<Int>, through running: RunningService) throws -> Double {
        let name = String(repeating: "a long name ", count: 20)
        let endpoint = running.endpoints.sources[RunningService.queue]
        let sender = WorkerThread(name: "sender") {
            guard let context = try? ZeroMQContext(), var socket = try? context.socket(.push),
                (try? socket.connect(endpoint)) != nil
            else { return XCTFail("no socket") }
            for number in range {
                let header = #"{"v":1,"id":"\#(name)\#(number)","format":"raw","shape":[2,2],"dtype":"uint8"}"#
                guard
                    (try? socket.send(message(header, [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 4))))
                        != nil
                else {
                    return XCTFail("not sent")
                }
            }
        }
        let start = MonotonicTime.now
        sender.start()
        let assignments = try running.assignments(range.count)
        sender.join()
        XCTAssertEqual(assignments.map(\.sequence), range.map { UInt64($0) + 1 }, "the fast consumer has all, in order")
        return Double(range.count) / MonotonicTime.now.seconds(since: start)
    }

    func testNobodyWaitsForASlowConsumerAndItFillsItsGapByReplay() throws {
        // More than wait for one subscriber at most, which are 100,000, and what lies in the buffers of the connection.
        let (alone, total) = (20_000, 150_000)
        let running = try RunningService(batchSize: 256)
        _ = try running.controlClient().ask("pause")
        let consumer = try TestProcess.clusterd([
            "watch", "--json", "--from", running.endpoints.publisher, "--control",
            try XCTUnwrap(running.endpoints.control), "--from-seq", "1",
        ])
        let before = try stream(0..<alone, through: running)
        XCTAssertEqual(consumer.lines(alone).count, alone)

        consumer.signal(SIGSTOP)
        let beside = try stream(alone..<total, through: running)
        // A wait for the consumer that stands still would let nothing through; others on the machine take a part.
        XCTAssertGreaterThan(beside, before / 20, "images a second, \(before) before")

        consumer.signal(SIGCONT)
        let lines = consumer.lines(total)
        consumer.signal(SIGINT)
        XCTAssertEqual(consumer.wait(), 0)
        let numbers = lines.compactMap { line in
            line.firstRange(of: #""seq":"#).flatMap { UInt64(line[$0.upperBound...].prefix { $0.isNumber }) }
        }
        XCTAssertEqual(numbers, (0..<total).map { UInt64($0) + 1 }, "each once, in order")
        let summary = consumer.errors.read { $0.lines.last ?? "" }
        XCTAssertTrue(summary.contains("replayed"), summary)
        XCTAssertFalse(summary.contains("missing"), summary)
        print("\(Int(before)) images a second before, \(Int(beside)) beside a consumer that stands still; \(summary)")
    }
}
