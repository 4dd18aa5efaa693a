// Counting by sender: gaps, duplicates, and a bound on the names kept.

import Daemon
import StreamProtocol
import XCTest

final class GatewayStatisticsTests: XCTestCase {
    private func image(_ number: UInt64? = nil, source: String = "cam", received: Int64 = 0) -> IncomingImage {
        IncomingImage(
            source: source, sequence: number, received: received, encoding: .file(format: nil), payload: [1])
    }

    private func counters(_ numbers: [UInt64]) -> StreamCounters {
        let statistics = StreamStatistics()
        for number in numbers { statistics.countReceived(image(number), bytes: 1, through: "queue") }
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
        for sender in 0..<1000 {
            statistics.countReceived(image(7, source: "hostile\(sender)"), bytes: 2, through: "queue")
        }
        statistics.countReceived(source: "queue", bytes: 3, through: "queue")
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

    // MARK: Health

    func testOnlyThoseThatHaveSentSomethingAreTold() {
        let statistics = StreamStatistics(names: ["stream", "queue"])
        XCTAssertEqual(statistics.health(), [])
        statistics.countReceived(source: "queue", bytes: 1, through: "queue")
        statistics.countReceived(image(1, received: 77), bytes: 1, through: "stream")
        let health = statistics.health()
        XCTAssertEqual(health.map(\.name), ["cam", "queue"])
        XCTAssertEqual(health.map(\.socket), ["stream", "queue"])
        XCTAssertEqual(health.map(\.lastImage), [77, nil])
        XCTAssertEqual(health[0].counters, statistics.snapshot["cam"])
        XCTAssertEqual(health[1].rate, 0, "what is no image is no frame")
    }

    func testAStreamThatHasEndedIsOpenAgainWithItsNextImage() {
        let statistics = StreamStatistics()
        statistics.countReceived(image(), bytes: 1, through: "queue")
        XCTAssertEqual(statistics.health().map(\.state), [.open])
        statistics.countReceived(source: "cam", bytes: 1, through: "queue")
        XCTAssertEqual(statistics.countEnd(source: "cam"), 1)
        XCTAssertNil(statistics.countEnd(source: "cam"), "the same end")
        XCTAssertEqual(statistics.health().map(\.state), [.ended])
        statistics.countReceived(image(), bytes: 1, through: "queue")
        XCTAssertEqual(statistics.health().map(\.state), [.open])
        XCTAssertEqual(statistics.countEnd(source: "cam"), 2)
        XCTAssertEqual(statistics.total.ends, 2)
    }

    func testTheRateIsThatOfTheLastSeconds() {
        let statistics = StreamStatistics()
        let start = MonotonicTime.now
        func rate(after seconds: Double) -> Double {
            statistics.health(now: start.advanced(bySeconds: seconds))[0].rate
        }
        // Thirty a second for twenty seconds, then ten for twenty, then none.
        for tick in 0..<600 {
            statistics.countReceived(
                image(), bytes: 1, through: "queue", now: start.advanced(bySeconds: Double(tick) / 30))
        }
        XCTAssertEqual(rate(after: 20), 30, accuracy: 1)
        for tick in 0..<200 {
            statistics.countReceived(
                image(), bytes: 1, through: "queue", now: start.advanced(bySeconds: 20 + Double(tick) / 10))
        }
        XCTAssertEqual(rate(after: 40), 10, accuracy: 1)
        XCTAssertEqual(rate(after: 45), 10 / M_E, accuracy: 0.5)
        XCTAssertLessThan(rate(after: 100), 0.001)
    }

    func testASteadyRateIsRightFromItsFirstSeconds() {
        for seconds in [1.0, 3, 10] {
            let statistics = StreamStatistics()
            let start = MonotonicTime.now
            for tick in 0..<Int(seconds * 20) {
                statistics.countReceived(
                    image(), bytes: 1, through: "queue", now: start.advanced(bySeconds: Double(tick) / 20))
            }
            let rate = statistics.health(now: start.advanced(bySeconds: seconds))[0].rate
            XCTAssertEqual(rate, 20, accuracy: 1.5, "after \(seconds) s")
        }
    }
}
