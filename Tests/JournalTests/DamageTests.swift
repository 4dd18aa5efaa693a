// Journals that are no journals any more: kept, named, and replaced.

import Foundation
import GRDB
import Journal
import XCTest

final class DamageTests: XCTestCase {
    private func change(_ path: String, _ body: (inout Data) -> Void) throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        body(&data)
        try data.write(to: URL(fileURLWithPath: path))
    }

    /// Opens a journal of 5,000 assignments whose file `damage` has changed.
    private func assertSetAside(
        _ reasons: String..., file: StaticString = #filePath, line: UInt = #line, _ damage: (String) throws -> Void
    ) throws {
        let folder = try temporaryFolder()
        var journal = try Journal(folder)
        let old = journal.epoch
        journal.append(1...5000)
        journal.close()
        let path = folder + "/journal.sqlite"
        try damage(path)
        let damaged = try Data(contentsOf: URL(fileURLWithPath: path))

        let events = Events()
        journal = try Journal(folder, events: events)
        XCTAssertNotEqual(journal.epoch, old, file: file, line: line)
        guard events.all.count == 2, case .damaged(let error, let kept) = events.all[0] else {
            return XCTFail("\(events.all)", file: file, line: line)
        }
        XCTAssertTrue("\(error)".hasPrefix("cannot open \(path): "), "\(error)", file: file, line: line)
        XCTAssertTrue(reasons.contains { "\(error)".contains($0) }, "\(error)", file: file, line: line)
        XCTAssertEqual(
            events.all[1], .renumbered(epoch: journal.epoch, reason: "the journal was damaged"), file: file, line: line)
        XCTAssertTrue(kept.hasPrefix(path + ".damaged-2"), kept, file: file, line: line)
        XCTAssertEqual(try Data(contentsOf: URL(fileURLWithPath: kept)), damaged, file: file, line: line)
        journal.append(1...10)
        journal.close()
        XCTAssertEqual(try Journal(folder).numbering.last, 10, file: file, line: line)
    }

    func testDamagedFilesAreKeptAndReplaced() throws {
        try assertSetAside("file is not a database") {
            try Data("not a database".utf8 + [UInt8](repeating: 7, count: 5000)).write(to: URL(fileURLWithPath: $0))
        }
        try assertSetAside("malformed") { path in try change(path) { $0.removeLast($0.count / 2) } }
        // Whether SQLite names a page or gives up depends on what kind of page it is.
        try assertSetAside("Page 15", "malformed") { path in
            try change(path) { $0.replaceSubrange(20_000..<60_000, with: repeatElement(0xA5, count: 40_000)) }
        }
        try assertSetAside("version 9") { path in
            // https://sqlite.org/fileformat2.html, 1.3: the user version is at 60, big-endian.
            try change(path) { $0[63] = 9 }
        }
        try assertSetAside("another program's database") { path in try change(path) { $0[68] ^= 1 } }
        try assertSetAside("no column named label_epoch") { path in
            // The schema is text in the first page.
            try change(path) { data in
                let range = try! XCTUnwrap(data.range(of: Data("label_epoch INTEGER".utf8)))
                data[range.lowerBound] = UInt8(ascii: "x")
            }
        }
    }

    func testValuesThatAreNeverWrittenAreDamage() throws {
        for change in [
            "entry SET source = NULL", "entry SET source = x'FF'", "entry SET cluster = 'three'",
            "entry SET t_received = x'00'", "entry SET confidence = 'much'", "entry SET probabilities = 7",
        ] {
            let folder = try temporaryFolder()
            var journal = try Journal(folder)
            journal.append(1...9)
            journal.close()
            try update(folder, change + " WHERE position = 5")
            journal = try Journal(folder)
            for read in [
                { _ = try journal.replay(epoch: nil, from: 1, limit: 20) },
                { try JournalReader(directory: folder).read(JournalQuery()) { _ in true } },
            ] {
                let error = try journalError(read)
                XCTAssertEqual(error.kind, .damaged, change)
                XCTAssertTrue(error.reason.contains("another type than its column"), "\(error)")
            }
            XCTAssertEqual(try journal.replay(epoch: nil, from: 6, limit: 20).messages.map(\.sequence), [6, 7, 8, 9])
        }
    }

    func testPlacesWhoseDifferencesOverflowAreDamage() throws {
        for change in [
            "epoch SET base = -1", "epoch SET base = 9223372036854775807",
            "entry SET position = -9223372036854775807 WHERE position = 1",
            "entry SET position = 9223372036854775807 WHERE position = 9",
        ] {
            try assertSetAside("impossible places") { try update(($0 as NSString).deletingLastPathComponent, change) }
        }
    }

    /// Changes the database as SQLite lets anybody do.
    private func update(_ folder: String, _ change: String) throws {
        try DatabaseQueue(path: folder + "/journal.sqlite").writeWithoutTransaction { database in
            // The table as it is read elsewhere need not be the one that was made.
            try database.execute(
                sql: """
                    PRAGMA writable_schema = ON;
                    UPDATE sqlite_master SET sql = replace(sql, 'source TEXT NOT NULL', 'source TEXT');
                    PRAGMA writable_schema = RESET;
                    UPDATE \(change);
                    PRAGMA wal_checkpoint(TRUNCATE);
                    """)
        }
    }

    func testAnEmptyFileIsAJournalThatIsGone() throws {
        let folder = try temporaryFolder()
        var journal = try Journal(folder)
        journal.append(1...5)
        journal.close()
        try change(folder + "/journal.sqlite") { $0.removeAll() }
        let events = Events()
        journal = try Journal(folder, events: events)
        XCTAssertEqual(events.all, [.renumbered(epoch: journal.epoch, reason: "the journal is gone")])
        XCTAssertEqual(journal.numbering.last, 0)
    }

    func testDamageFoundInUseIsReplacedInTheSameEpoch() throws {
        let folder = try temporaryFolder()
        let events = Events()
        var journal = try Journal(folder, events: events)
        journal.append(1...5000)
        journal.maintain(now: 0)
        // All pages but the first, behind SQLite's back.
        let path = folder + "/journal.sqlite"
        let descriptor = open(path, O_WRONLY)
        let size = try Data(contentsOf: URL(fileURLWithPath: path)).count
        let junk = [UInt8](repeating: 0xA5, count: size - 4096)
        XCTAssertEqual(pwrite(descriptor, junk, junk.count, 4096), junk.count)
        close(descriptor)
        // The pages in its memory are as they were: written until one is read again, and then set aside.
        var last: UInt64 = 5000
        while !events.all.contains(where: { if case .failing = $0 { true } else { false } }) {
            journal.append(last + 1...last + 1000)
            last += 1000
            journal.maintain(now: 0)
            _ = try? journal.replay(epoch: nil, from: 1, limit: 10_000)
            guard last < 200_000 else { return XCTFail("the damage is not found: \(events.all)") }
        }
        let epoch = journal.epoch
        journal.maintain(now: 0)
        guard case .failing(let error)? = events.all.dropFirst().first, error.kind == .damaged else {
            return XCTFail("\(events.all)")
        }
        XCTAssertEqual(events.all.last, .recovered(lost: nil))
        XCTAssertEqual(
            try names(in: folder).count {
                $0.contains("sqlite.damaged-") && !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm")
            }, 1)
        journal.append(last + 1...last + 10)
        let numbers = try journal.numbers()
        XCTAssertEqual(numbers.there.last, last + 10)
        XCTAssertEqual(numbers.gone.count, 1)
        journal.close()
        journal = try Journal(folder)
        XCTAssertEqual(journal.epoch, epoch)
        XCTAssertEqual(journal.numbering.last, last + 10)
    }
}
