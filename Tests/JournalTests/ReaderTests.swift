// Questions to a journal that is being written.

import Foundation
import Journal
import StreamProtocol
import XCTest

final class ReaderTests: XCTestCase {
    private func ask(_ reader: JournalReader, _ change: (inout JournalQuery) -> Void) throws -> [UInt64] {
        var query = JournalQuery()
        change(&query)
        var numbers: [UInt64] = []
        try reader.read(query) { message in
            numbers.append(message.sequence)
            return true
        }
        return numbers
    }

    func testQuestionsAreAnsweredWhileTheJournalIsWritten() throws {
        let folder = try temporaryFolder()
        let journal = try Journal(folder)
        for number: UInt64 in 1...300 { journal.append(number...number, published: Int64(number) * 10) }
        let reader = try JournalReader(directory: folder)
        XCTAssertEqual(try ask(reader) { _ in }, Array(1...300))
        XCTAssertEqual(try ask(reader) { $0.source = "cam1" }, (1...300).filter { $0 % 3 == 1 })
        XCTAssertEqual(try ask(reader) { $0.cluster = 7 }, (1...300).filter { $0 % 10 == 7 })
        XCTAssertEqual(try ask(reader) { ($0.source, $0.cluster) = ("cam1", 7) }, (1...300).filter { $0 % 30 == 7 })
        XCTAssertEqual(try ask(reader) { $0.id = "42.jpg" }, [42])
        XCTAssertEqual(try ask(reader) { $0.id = "42" }, [])
        XCTAssertEqual(try ask(reader) { ($0.since, $0.until) = (1000, 1050) }, Array(100...104))
        XCTAssertEqual(try ask(reader) { $0.newest = 3 }, [298, 299, 300])
        XCTAssertEqual(try ask(reader) { ($0.newest, $0.until) = (3, 1000) }, [97, 98, 99])
        journal.append(301...301)
        XCTAssertEqual(try ask(reader) { $0.newest = 1 }, [301], "what is written later is seen")
    }

    func testAssignmentsOfEveryEpochAreRead() throws {
        let folder = try temporaryFolder()
        var journal = try Journal(folder)
        let old = journal.epoch
        journal.append(1...10)
        journal.close()
        try Data().write(to: URL(fileURLWithPath: folder + "/journal.numbering"))
        journal = try Journal(folder)
        journal.append(1...5)
        var read: [AssignmentMessage] = []
        try JournalReader(directory: folder).read(JournalQuery()) { message in
            read.append(message)
            return read.count < 13
        }
        XCTAssertEqual(read, (1...10).map { sample($0, epoch: old) } + (1...3).map { sample($0, epoch: journal.epoch) })
    }

    func testNoJournalAndNoneOfOursAreTold() throws {
        let folder = try temporaryFolder()
        var error = try journalError { _ = try JournalReader(directory: folder) }
        XCTAssertEqual(error.kind, .missing)
        XCTAssertEqual(
            "\(error)",
            "cannot open \(folder)/journal.sqlite: there is no journal (name the daemon's journal.directory)")
        try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/journal.sqlite"))
        error = try journalError { _ = try JournalReader(directory: folder) }
        XCTAssertEqual(error.kind, .damaged)
    }
}
