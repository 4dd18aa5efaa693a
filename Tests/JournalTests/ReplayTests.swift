// What is read is what was written, to the byte; and every number that is not there is accounted for.

import Foundation
import Journal
import StreamProtocol
import XCTest

final class ReplayTests: XCTestCase {
    func testAMessageIsReplayedToTheByte() throws {
        let folder = try temporaryFolder()
        var journal = try Journal(folder)
        var messages = [
            sample(1, epoch: journal.epoch), sample(2, epoch: journal.epoch), sample(3, epoch: journal.epoch),
        ]
        messages[0].id = nil
        messages[0].sourceSequence = nil
        messages[0].taken = nil
        messages[0].confidence = .nan
        messages[0].probabilities = [0.1, .nan, 1e-38, 0.333_333_34, 0]
        messages[1].id = "a\u{0}b \"quoted\" \\ \n 名前 😀"
        messages[1].sourceSequence = .max
        messages[1].step = .max
        messages[1].taken = .min
        messages[1].received = .max
        messages[1].confidence = 0.1
        messages[1].probabilities = []
        messages[2].id = ""
        messages[2].source = String(repeating: "s", count: 64)
        messages[2].labelEpoch = 7
        messages[2].confidence = .leastNonzeroMagnitude
        messages[2].cluster = 9_999
        journal.append(&messages)
        for _ in 0..<2 {
            let replay = try journal.replay(epoch: journal.epoch, from: 1, limit: 10)
            XCTAssertEqual(replay.messages.map(\.body), messages.map(\.body))
            XCTAssertEqual(replay.messages.map(\.topic), messages.map(\.topic))
            XCTAssertEqual([replay.first, replay.next, replay.last], [1, 4, 3])
            journal.close()
            journal = try Journal(folder)
        }
    }

    func testEmbeddingsAreNotKept() throws {
        let journal = try Journal(try temporaryFolder())
        var message = sample(1, epoch: journal.epoch)
        message.embedding = [1, 2]
        var messages = [message]
        journal.append(&messages)
        message.embedding = nil
        XCTAssertEqual(try journal.replay(epoch: nil, from: 1, limit: 1).messages, [message])
    }

    func testAPageHasItsBounds() throws {
        let journal = try Journal(try temporaryFolder())
        XCTAssertEqual(
            try journal.replay(epoch: nil, from: 1, limit: 5),
            Replay(epoch: journal.epoch, from: 1, first: 1, messages: [], last: 0))
        journal.append(1...100)
        var replay = try journal.replay(epoch: nil, from: 31, limit: 5)
        XCTAssertEqual(replay.messages.map(\.sequence), Array(31...35))
        XCTAssertEqual([replay.first, replay.next, replay.last], [31, 36, 100])
        XCTAssertNil(replay.gap)
        replay = try journal.replay(epoch: nil, from: 99, limit: 5)
        XCTAssertEqual([replay.first, replay.next, replay.last], [99, 101, 100])
        for from in [101, 1000, UInt64.max] {
            replay = try journal.replay(epoch: nil, from: from, limit: 5)
            XCTAssertEqual([replay.first, replay.next, replay.last], [from, from, 100])
            XCTAssertNil(replay.gap)
        }
        XCTAssertEqual(try journal.replay(epoch: nil, from: 0, limit: 1).first, 1)
        let error = try journalError { _ = try journal.replay(epoch: "another", from: 1, limit: 1) }
        XCTAssertEqual(error.kind, .unknownEpoch)
        XCTAssertTrue("\(error)".contains(journal.epoch), "\(error)")
    }

    func testRowsBeyondTheLimitExpireAndAreAGap() throws {
        let folder = try temporaryFolder()
        var journal = try Journal(folder, keepRows: 2500)
        journal.append(1...10_000)
        XCTAssertEqual(try journal.numbers().there.count, 10_000)
        journal.maintain(now: 0)
        XCTAssertEqual(try journal.numbers().gone, [1...7500])
        XCTAssertEqual(try journal.numbers().there, Array(7501...10_000))
        XCTAssertEqual(journal.status.rows, 2500)
        XCTAssertEqual(try journal.replay(epoch: nil, from: 7000, limit: 2).gap, 7000...7500)
        journal.close()
        journal = try Journal(folder, keepRows: 1)
        journal.maintain(now: 0)
        XCTAssertEqual(try journal.numbers().there, [10_000])
    }

    func testOldRowsExpireButForTheNewest() throws {
        let folder = try temporaryFolder()
        let second: Int64 = 1_000_000_000
        var journal = try Journal(folder, keepSeconds: 60)
        let old = journal.epoch
        journal.append(1...3000, published: 100 * second)
        journal.append(3001...3010, published: 110 * second)
        journal.maintain(now: 160 * second)
        XCTAssertEqual(try journal.numbers().gone, [])
        journal.maintain(now: 165 * second)
        XCTAssertEqual(try journal.numbers().gone, [1...3000])
        journal.maintain(now: 1000 * second)
        XCTAssertEqual(try journal.numbers().there, [3010])
        journal.close()
        // Numbering goes on from the row that stayed, in whatever epoch; an epoch that has expired whole is a gap.
        try Data().write(to: URL(fileURLWithPath: folder + "/journal.numbering"))
        journal = try Journal(folder, keepSeconds: 60)
        journal.append(1...10, published: 1000 * second)
        journal.maintain(now: 1000 * second)
        XCTAssertEqual(try journal.numbers().there, Array(1...10))
        XCTAssertEqual(try journal.numbers(from: 17, epoch: old).gone, [17...3010])
    }

    func testReadersAndTheWriterDoNotDisturbEachOther() throws {
        let folder = try temporaryFolder()
        let journal = try Journal(folder, keepRows: 5000)
        let done = expectation(description: "written")
        Thread.detachNewThread {
            journal.append(1...30_000)
            done.fulfill()
        }
        Thread.detachNewThread { while journal.status.last < 30_000 { journal.maintain(now: 0) } }
        var next: UInt64 = 1
        var seen: UInt64 = 0
        while next <= 30_000 {
            let replay = try journal.replay(epoch: nil, from: next, limit: 500)
            XCTAssertEqual(replay.messages.map(\.sequence), Array(replay.first..<replay.next))
            seen += UInt64(replay.messages.count) + (replay.gap.map { $0.upperBound - $0.lowerBound + 1 } ?? 0)
            next = replay.next
        }
        XCTAssertEqual(seen, 30_000)
        wait(for: [done], timeout: 60)
    }
}
