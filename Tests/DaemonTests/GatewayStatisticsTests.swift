// Counting by sender: gaps, duplicates, and a bound on the names kept.

import Daemon
import XCTest

final class GatewayStatisticsTests: XCTestCase {
    private func counters(_ numbers: [UInt64]) -> StreamCounters {
        let statistics = StreamStatistics()
        for number in numbers { statistics.countReceived(source: "cam", bytes: 1, number: number) }
        return statistics.snapshot["cam"]!
    }

    func testConsecutiveNumbersAreNoGap() {
        let counters = counters([5, 6, 7, 8])
        XCTAssertEqual([counters.missing, counters.duplicates, counters.restarts], [0, 0, 0])
        XCTAssertEqual(counters.received, 4)
    }

    func testMissingNumbersAreCounted() {
        XCTAssertEqual(counters([0, 1, 5, 6, 8]).missing, 4)
    }

    func testDuplicatesAndLateImagesAreCounted() {
        let counters = counters([10, 11, 11, 14, 12, 15])
        XCTAssertEqual([counters.missing, counters.duplicates, counters.restarts], [2, 2, 0])
    }

    func testANewNumberingIsNoDuplicate() {
        let restarted = counters([100, 101, 0, 1, 2])
        XCTAssertEqual([restarted.missing, restarted.duplicates, restarted.restarts], [0, 0, 1])
        let jumped = counters([1_000_000, 500, 501])
        XCTAssertEqual([jumped.missing, jumped.duplicates, jumped.restarts], [0, 0, 1])
    }

    func testHostileNumbersDoNotOverflow() {
        let counters = counters([0, .max, 0, .max, 0, .max])
        XCTAssertEqual(counters.missing, .max)
        XCTAssertEqual(counters.restarts, 2)
    }

    func testTheNumberOfNamesIsBounded() {
        let statistics = StreamStatistics(names: ["queue"], maxNames: 10)
        for sender in 0..<1000 { statistics.countReceived(source: "hostile\(sender)", bytes: 2, number: 7) }
        statistics.countReceived(source: "queue", bytes: 3)
        let snapshot = statistics.snapshot
        XCTAssertEqual(snapshot.count, 11)
        XCTAssertEqual(snapshot["queue"]?.received, 1)
        XCTAssertEqual(snapshot[StreamStatistics.others]?.received, 991)
        // Different senders' numbers are not one numbering.
        XCTAssertEqual(snapshot[StreamStatistics.others]?.duplicates, 0)
        XCTAssertEqual(statistics.total.received, 1001)
        XCTAssertEqual(statistics.total.bytes, 2003)
    }

    func testReasonsAreCountedApart() {
        let statistics = StreamStatistics()
        statistics.countRejected(source: "cam", reason: "not-json")
        statistics.countRejected(source: "cam", reason: "not-json")
        statistics.countRejected(source: "cam", reason: "frame-count")
        statistics.countDropped(source: "cam", reason: .droppedOldest)
        statistics.countAdmitted(source: "cam")
        XCTAssertEqual(statistics.snapshot["cam"]?.rejected, ["not-json": 2, "frame-count": 1])
        XCTAssertEqual(statistics.total.dropped, ["dropped-oldest": 1])
        XCTAssertEqual(statistics.total.admitted, 1)
    }
}
