// What a consumer makes of what arrives: everything once, in order, and every gap explicit.

import Client
import StreamProtocol
import XCTest

final class AssignmentSequenceTests: XCTestCase {
    private func delivery(_ sequence: UInt64, _ epoch: String = "one") -> AssignmentSequence.Delivery {
        let message = AssignmentMessage(
            epoch: epoch, sequence: sequence, source: "cam", received: 0, published: 0, cluster: 0, confidence: 1,
            step: 0,
            model: "m")
        return .init(message: message, json: message.body)
    }

    /// The outputs in short: numbers that are there and, negative, the bounds of those that are missing.
    private func short(_ outputs: [AssignmentSequence.Output]) -> [String] {
        outputs.map { output in
            switch output {
            case .assignment(let delivery): "\(delivery.message.sequence)"
            case .missing(let range): "missing \(range.lowerBound)-\(range.upperBound)"
            case .unknownEnd(let epoch, let last): "\(epoch) unknown after \(last)"
            case .newEpoch(let epoch): "epoch \(epoch)"
            }
        }
    }

    func testTheFirstHeardBeginsAndNothingIsMissing() {
        var sequence = AssignmentSequence()
        XCTAssertNil(sequence.missing)
        XCTAssertEqual(short(sequence.published(delivery(7))), ["7"])
        XCTAssertEqual(short(sequence.heartbeat(epoch: "one", last: 7)), [])
        XCTAssertEqual(short(sequence.published(delivery(8))), ["8"])
        XCTAssertEqual(short(sequence.published(delivery(8)) + sequence.published(delivery(7))), [], "once")
        XCTAssertNil(sequence.missing)

        sequence = AssignmentSequence()
        XCTAssertEqual(short(sequence.heartbeat(epoch: "one", last: 7)), [])
        XCTAssertNil(sequence.missing)
        XCTAssertEqual(short(sequence.published(delivery(8))), ["8"])
    }

    func testWhatIsAheadWaitsForWhatIsMissing() {
        var sequence = AssignmentSequence()
        _ = sequence.published(delivery(1))
        XCTAssertEqual(short(sequence.published(delivery(4)) + sequence.published(delivery(6))), [])
        XCTAssertEqual(sequence.missing?.from, 2)
        XCTAssertEqual(
            short(sequence.replayed(epoch: "one", gap: nil, last: 6, [delivery(2), delivery(3), delivery(4)])),
            ["2", "3", "4"])
        XCTAssertEqual(sequence.missing?.from, 5)
        XCTAssertEqual(short(sequence.replayed(epoch: "one", gap: nil, last: 6, [delivery(5)])), ["5", "6"])
        XCTAssertNil(sequence.missing)
        XCTAssertEqual(short(sequence.replayed(epoch: "one", gap: nil, last: 6, [delivery(5)])), [], "a late answer")
    }

    func testAHeartbeatTellsOfTheNewest() {
        var sequence = AssignmentSequence()
        _ = sequence.published(delivery(1))
        XCTAssertEqual(short(sequence.heartbeat(epoch: "one", last: 3)), [])
        XCTAssertEqual(sequence.missing?.epoch, "one")
        XCTAssertEqual(sequence.missing?.from, 2)
        XCTAssertEqual(
            short(sequence.replayed(epoch: "one", gap: nil, last: 3, [delivery(2), delivery(3)])), ["2", "3"])
    }

    func testWhatHasExpiredIsMissing() {
        var sequence = AssignmentSequence(start: 1)
        _ = sequence.heartbeat(epoch: "one", last: 100)
        _ = sequence.published(delivery(101))
        XCTAssertEqual(sequence.missing?.from, 1)
        XCTAssertEqual(
            short(sequence.replayed(epoch: "one", gap: 1...98, last: 101, [delivery(99), delivery(100)])),
            ["missing 1-98", "99", "100", "101"])
        // An old answer's gap does not take back what is here.
        XCTAssertEqual(short(sequence.replayed(epoch: "one", gap: 1...98, last: 101, [])), [])
        // What has arrived in the middle of a gap is not missing.
        _ = sequence.published(delivery(105))
        XCTAssertEqual(
            short(sequence.replayed(epoch: "one", gap: 102...107, last: 107, [])),
            ["missing 102-104", "105", "missing 106-107"])
    }

    func testAnEpochIsEndedBeforeTheNextBegins() {
        var sequence = AssignmentSequence()
        _ = sequence.published(delivery(5))
        XCTAssertEqual(short(sequence.published(delivery(2, "two"))), [])
        XCTAssertEqual(sequence.missing?.epoch, "one")
        XCTAssertEqual(sequence.missing?.from, 6)
        XCTAssertEqual(short(sequence.replayed(epoch: "one", gap: nil, last: 7, [delivery(6)])), ["6"])
        XCTAssertEqual(
            short(sequence.replayed(epoch: "one", gap: nil, last: 7, [delivery(7)])), ["7", "epoch two"])
        XCTAssertEqual(sequence.missing?.epoch, "two")
        XCTAssertEqual(sequence.missing?.from, 1)
        XCTAssertEqual(
            short(sequence.replayed(epoch: "two", gap: nil, last: 2, [delivery(1, "two")])), ["1", "2"])
        XCTAssertNil(sequence.missing)
    }

    func testAnEpochWithNothingLeftEndsAtOnce() {
        var sequence = AssignmentSequence()
        _ = sequence.published(delivery(5))
        _ = sequence.heartbeat(epoch: "two", last: 0)
        XCTAssertEqual(short(sequence.replayed(epoch: "one", gap: nil, last: 5, [])), ["epoch two"])
        XCTAssertNil(sequence.missing)
        XCTAssertEqual(short(sequence.published(delivery(1, "two"))), ["1"])
    }

    func testGivingUpTellsWhatIsMissing() {
        var sequence = AssignmentSequence()
        _ = sequence.published(delivery(1))
        _ = sequence.published(delivery(4))
        _ = sequence.heartbeat(epoch: "one", last: 9)
        XCTAssertEqual(short(sequence.giveUp()), ["missing 2-3", "4"])
        XCTAssertEqual(short(sequence.giveUp()), ["missing 5-9"])
        XCTAssertNil(sequence.missing)
        _ = sequence.published(delivery(3, "two"))
        XCTAssertEqual(short(sequence.giveUp()), ["one unknown after 9", "epoch two"])
        XCTAssertEqual(short(sequence.giveUp()), ["missing 1-2", "3"])
    }

    func testAConsumerThatComesBackBeginsWhereItWas() {
        var sequence = AssignmentSequence(epoch: "one", start: 8)
        XCTAssertNil(sequence.missing)
        _ = sequence.heartbeat(epoch: "two", last: 1)
        XCTAssertEqual(sequence.missing?.epoch, "one")
        XCTAssertEqual(sequence.missing?.from, 8)
        XCTAssertEqual(short(sequence.replayed(epoch: "one", gap: nil, last: 8, [delivery(8)])), ["8", "epoch two"])
        XCTAssertEqual(sequence.missing?.from, 1)
    }

    func testManyHolesAreToldInNoTime() {
        var sequence = AssignmentSequence(epoch: "one", start: 1)
        for number in stride(from: UInt64(2), through: 120_000, by: 2) { _ = sequence.published(delivery(number)) }
        _ = sequence.published(delivery(1, "two"))
        let start = ContinuousClock.now
        let outputs = sequence.giveUp()
        XCTAssertEqual(outputs.count, 120_000 + 3)
        XCTAssertLessThan(.now - start, .seconds(60))
    }

    func testNumbersBeginWithOne() {
        var sequence = AssignmentSequence(epoch: "one", start: 0)
        XCTAssertEqual(short(sequence.published(delivery(1, "two"))), [])
        XCTAssertEqual(short(sequence.giveUp()), ["one unknown after 0", "epoch two", "1"])
    }

    func testALimitedNumberIsKeptAndTheRestAskedForAgain() {
        var sequence = AssignmentSequence(start: 1)
        for number: UInt64 in 2...100_100 { _ = sequence.published(delivery(number)) }
        var outputs = sequence.replayed(epoch: "one", gap: nil, last: 100_100, [delivery(1)])
        XCTAssertEqual(outputs.count, 100_001)
        XCTAssertEqual(sequence.missing?.from, 100_002)
        outputs = sequence.replayed(epoch: "one", gap: nil, last: 100_100, (100_002...100_100).map { delivery($0) })
        XCTAssertEqual(outputs.count, 99)
        XCTAssertNil(sequence.missing)
    }
}
