// Where numbering goes on after a journal is opened again, and where it starts anew.

import Foundation
import Journal
import XCTest

final class NumberingTests: XCTestCase {
    func testNumberingGoesOnAfterClosing() throws {
        let folder = try temporaryFolder()
        let events = Events()
        var epoch = ""
        for round: UInt64 in 0..<5 {
            let journal = try Journal(folder, events: events)
            if round == 0 { epoch = journal.epoch }
            XCTAssertEqual(journal.epoch, epoch)
            XCTAssertEqual(journal.numbering.last, round * 100)
            journal.append(round * 100 + 1...round * 100 + 100)
            journal.close()
            journal.close()
        }
        XCTAssertEqual(
            events.all,
            [.started(epoch: epoch)] + (1..<5).map { .resumed(epoch: epoch, last: $0 * 100) })
        let journal = try Journal(folder)
        XCTAssertEqual(try journal.numbers().there, Array(1...500))
        XCTAssertEqual(try journal.numbers().gone, [])
    }

    func testAClosedJournalIsOneFileAndItsMark() throws {
        let folder = try temporaryFolder()
        let journal = try Journal(folder)
        journal.append(1...100)
        journal.close()
        XCTAssertEqual(try names(in: folder), ["journal.numbering", "journal.sqlite"])
    }

    func testASecondJournalInTheFolderIsRefused() throws {
        let folder = try temporaryFolder()
        let journal = try Journal(folder)
        let error = try journalError { _ = try Journal(folder) }
        XCTAssertEqual(error.kind, .inUse)
        XCTAssertTrue("\(error)".contains("process \(getpid()) keeps its journal there"), "\(error)")
        journal.close()
    }

    func testAFolderThatCannotBeIsNamed() throws {
        let folder = try temporaryFolder() + "/file"
        try Data().write(to: URL(fileURLWithPath: folder))
        let error = try journalError { _ = try Journal(folder + "/journal") }
        XCTAssertTrue("\(error)".hasPrefix("cannot create \(folder)/journal: "), "\(error)")
    }

    /// Opens the journal that 100 assignments are in after `change`, and expects numbering to start again.
    private func assertRenumbered(
        _ reason: String, file: StaticString = #filePath, line: UInt = #line, _ change: (String) throws -> Void
    ) throws {
        let folder = try temporaryFolder()
        var journal = try Journal(folder)
        let old = journal.epoch
        journal.append(1...100)
        journal.close()
        try change(folder)
        let events = Events()
        journal = try Journal(folder, events: events)
        XCTAssertNotEqual(journal.epoch, old, file: file, line: line)
        XCTAssertEqual(journal.numbering.last, 0, file: file, line: line)
        XCTAssertEqual(events.all, [.renumbered(epoch: journal.epoch, reason: reason)], file: file, line: line)
        journal.append(1...10)
        XCTAssertEqual(try journal.numbers().there, Array(1...10), file: file, line: line)
        if FileManager.default.fileExists(atPath: folder + "/old") { return }
        // What was journaled before is still there under the old epoch.
        if !reason.contains("gone") {
            XCTAssertEqual(try journal.numbers(epoch: old).there, Array(1...100), file: file, line: line)
            XCTAssertEqual(try journal.replay(epoch: old, from: 101, limit: 1).last, 100, file: file, line: line)
        }
        // And the new epoch goes on.
        journal.close()
        XCTAssertEqual(try Journal(folder).numbering.last, 10, file: file, line: line)
    }

    private func write(_ mark: String, in folder: String) throws {
        try Data(mark.utf8).write(to: URL(fileURLWithPath: folder + "/journal.numbering"))
    }

    private func mark(in folder: String) throws -> [String] {
        try String(contentsOfFile: folder + "/journal.numbering", encoding: .utf8).split(separator: " ").map(
            String.init)
    }

    func testWhatIsNotCertainStartsANewEpoch() throws {
        let unjournaled = "assignments were published while the journal could not be written"
        let other = "the journal is not the one that was in use last"
        try assertRenumbered(unjournaled) { try write("", in: $0) }
        try assertRenumbered(unjournaled) { try write("closed torn", in: $0) }
        try assertRenumbered(unjournaled) { try FileManager.default.removeItem(atPath: $0 + "/journal.numbering") }
        try assertRenumbered("the machine stopped before the newest assignments were certain to be on disk") { folder in
            let epoch = try mark(in: folder)[1]
            try write("writing \(epoch) another-boot 1\n", in: folder)
        }
        try assertRenumbered(other) { try write("writing another-epoch durable 1\n", in: $0) }
        try assertRenumbered(other) { folder in
            let epoch = try mark(in: folder)[1]
            try write("closed \(epoch) 101 1\n", in: folder)
        }
        try assertRenumbered("the journal is gone") {
            try FileManager.default.removeItem(atPath: $0 + "/journal.sqlite")
        }
    }

    func testWhatIsCertainGoesOn() throws {
        let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8).prefix { $0 != "\n" }
        for word in ["durable", String(boot)] {
            let folder = try temporaryFolder()
            let journal = try Journal(folder)
            journal.append(1...100)
            journal.close()
            try write("writing \(journal.epoch) \(word) 1\n", in: folder)
            XCTAssertEqual(try Journal(folder).epoch, journal.epoch)
        }
    }

    func testTheMarkSaysHowTheJournalIsWritten() throws {
        for synchronous in JournalSettings.Synchronous.allCases {
            let folder = try temporaryFolder()
            let journal = try Journal(folder, synchronous: synchronous)
            journal.append(1...3)
            XCTAssertEqual(try mark(in: folder)[2] == "durable", synchronous == .full)
            journal.close()
            XCTAssertEqual(try mark(in: folder)[0...2], ["closed", journal.epoch, "3"])
        }
    }
}
