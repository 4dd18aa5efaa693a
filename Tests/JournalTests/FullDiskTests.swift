// A disk that takes nothing: the stream goes on, and the journal catches up.

import Foundation
import Journal
import StreamProtocol
import XCTest

final class FullDiskTests: XCTestCase {
    /// A small file system that is full but for what is in it, and what empties it.
    private final class Disk {
        let folder: String

        init(_ folder: String, megabytes: Int) throws {
            self.folder = folder
            guard mount("tmpfs", folder, "tmpfs", 0, "size=\(megabytes)m") == 0 else {
                throw XCTSkip("mounting a small file system needs root")
            }
        }

        deinit { umount2(folder, Int32(MNT_DETACH)) }

        func fill() {
            let descriptor = open(folder + "/filler", O_WRONLY | O_CREAT, 0o644)
            let block = [UInt8](repeating: 1, count: 4096)
            while write(descriptor, block, block.count) > 0 {}
            close(descriptor)
        }

        func empty() { unlink(folder + "/filler") }
    }

    func testAFullDiskIsToldOnceAndCaughtUpWith() throws {
        let disk = try Disk(try temporaryFolder(), megabytes: 8)
        let events = Events()
        let journal = try Journal(disk.folder, events: events)
        journal.append(1...100)
        disk.fill()
        journal.append(101...5000)
        guard case .failing(let error)? = events.all.last else { return XCTFail("\(events.all)") }
        XCTAssertTrue("\(error)".contains("the disk is full (free some space"), "\(error)")
        XCTAssertEqual(events.all.count, 2)
        journal.maintain(now: 0)
        XCTAssertEqual(events.all.count, 2, "\(events.all)")
        let status = journal.status
        XCTAssertEqual(status.failure?.reason, "the disk is full")
        XCTAssertEqual(status.last, 5000)
        XCTAssertGreaterThan(status.waiting, 1000)
        // What waits in memory is replayed too.
        XCTAssertEqual(try journal.numbers().there, Array(1...5000))

        disk.empty()
        journal.maintain(now: 0)
        XCTAssertEqual(events.all.last, .recovered(lost: nil))
        XCTAssertEqual(journal.status.waiting, 0)
        XCTAssertNil(journal.status.failure)
        journal.append(5001...5010)
        XCTAssertEqual(try journal.numbers().there, Array(1...5010))
        journal.close()
        let again = try Journal(disk.folder)
        XCTAssertEqual(again.epoch, journal.epoch)
        XCTAssertEqual(try again.numbers().there, Array(1...5010))
    }

    func testWhatDoesNotFitInMemoryIsAGap() throws {
        let disk = try Disk(try temporaryFolder(), megabytes: 8)
        let events = Events()
        let journal = try Journal(disk.folder, backlogBytes: 100_000, events: events)
        journal.append(1...100, batch: 10)
        disk.fill()
        journal.append(101...5000, batch: 10)
        disk.empty()
        let before = try journal.numbers()
        journal.maintain(now: 0)
        guard case .recovered(let lost?)? = events.all.last else { return XCTFail("\(events.all)") }
        XCTAssertGreaterThan(lost.lowerBound, 100)
        XCTAssertLessThan(lost.upperBound, 5000)
        let after = try journal.numbers()
        XCTAssertEqual(after.gone, [lost])
        XCTAssertEqual(after.there, Array(1..<lost.lowerBound) + Array(lost.upperBound + 1...5000))
        XCTAssertEqual(before.there, after.there, "what can be had does not change when it is written")
        XCTAssertEqual(journal.status.lost, lost.upperBound - lost.lowerBound + 1)
        journal.close()
        XCTAssertEqual(try Journal(disk.folder).epoch, journal.epoch)
    }

    func testAJournalThatIsLeftWhileItFailsStartsANewEpoch() throws {
        let disk = try Disk(try temporaryFolder(), megabytes: 8)
        let journal = try Journal(disk.folder)
        journal.append(1...100)
        disk.fill()
        journal.append(101...5000)
        journal.close()
        disk.empty()
        let events = Events()
        let again = try Journal(disk.folder, events: events)
        XCTAssertEqual(
            events.all,
            [
                .renumbered(
                    epoch: again.epoch, reason: "assignments were published while the journal could not be written")
            ])
        XCTAssertEqual(try again.numbers(epoch: journal.epoch).there.prefix(100), ArraySlice(1...100))
    }

    // MARK: Where the mark cannot be written either, as on a file system that has turned read-only

    /// Puts a descriptor that can only read in the place of the one that a mark is written through.
    private func protectMark(in folder: String) throws {
        let path = folder + "/journal.numbering"
        let link = "/proc/self/fd/"
        let numbers = try FileManager.default.contentsOfDirectory(atPath: link).compactMap { Int32($0) }
        let number = try XCTUnwrap(
            numbers.first { (try? FileManager.default.destinationOfSymbolicLink(atPath: link + "\($0)")) == path })
        let reader = open(path, O_RDONLY | O_CLOEXEC)
        XCTAssertEqual(dup2(reader, number), number)
        close(reader)
    }

    /// A journal of 100 assignments whose disk takes nothing from now on.
    private func journalThatCannotWrite(on disk: Disk) throws -> (Journal, Events) {
        let events = Events()
        let journal = try Journal(disk.folder, events: events)
        journal.append(1...100)
        disk.fill()
        try protectMark(in: disk.folder)
        return (journal, events)
    }

    /// Appends `count` assignments with the next numbers, and returns those that they have then.
    private func append(_ count: UInt64, to journal: Journal) -> [AssignmentNumbering] {
        let next = journal.numbering
        var messages = (1...count).map { sample(next.last + $0, epoch: next.epoch) }
        journal.append(&messages)
        return messages.map { AssignmentNumbering(epoch: $0.epoch, last: $0.sequence) }
    }

    func testNumbersThatNothingCanBeWrittenOfAreOfANewEpoch() throws {
        let disk = try Disk(try temporaryFolder(), megabytes: 8)
        let (journal, events) = try journalThatCannotWrite(on: disk)
        let old = journal.epoch
        // The database has some room left in its log.
        var published: [AssignmentNumbering] = []
        repeat { published += append(1000, to: journal) } while journal.epoch == old
        let kept = try XCTUnwrap(published.last { $0.epoch == old }?.last ?? 100)
        published += append(500, to: journal)
        let new = journal.epoch
        XCTAssertEqual(published.filter { $0.epoch == new }.map(\.last), Array(1...1500))
        guard case .renumbered(new, _)? = events.all.last else { return XCTFail("\(events.all)") }
        XCTAssertEqual(events.all.count, 3, "\(events.all)")
        XCTAssertEqual(try journal.numbers().there, Array(1...1500))
        XCTAssertEqual(try journal.numbers(epoch: old).there, Array(1...kept))
        journal.close()
        disk.empty()

        // Whoever comes next goes on in the old one, and gives no number that was given.
        let resumed = Events()
        let again = try Journal(disk.folder, events: resumed)
        XCTAssertEqual(resumed.all, [.resumed(epoch: old, last: kept)])
        XCTAssertEqual(again.numbering, AssignmentNumbering(epoch: old, last: kept))
    }

    func testTheNewEpochIsJournaledWhenTheDiskTakesItAgain() throws {
        let disk = try Disk(try temporaryFolder(), megabytes: 8)
        let (journal, events) = try journalThatCannotWrite(on: disk)
        let old = journal.epoch
        while journal.epoch == old { _ = append(1000, to: journal) }
        let new = journal.epoch
        disk.empty()
        journal.maintain(now: 0)
        XCTAssertEqual(events.all.last, .recovered(lost: nil))
        XCTAssertEqual(append(10, to: journal).last, AssignmentNumbering(epoch: new, last: 1010))
        XCTAssertEqual(try journal.numbers().there, Array(1...1010))
        XCTAssertEqual(try journal.numbers(epoch: old).there.first, 1)
        journal.close()

        // The mark is still of the old epoch, which is not the newest any more.
        let again = try Journal(disk.folder)
        XCTAssertNotEqual(again.epoch, old)
        XCTAssertNotEqual(again.epoch, new)
        XCTAssertEqual(try again.numbers(epoch: new).there, Array(1...1010))
        XCTAssertEqual(try again.numbers(epoch: old).gone, [])
    }
}
