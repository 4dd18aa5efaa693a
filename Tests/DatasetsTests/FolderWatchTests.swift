// Watched folders: whole files, each once, however they come, and none of those that are being written.

import Datasets
import Foundation
import XCTest

final class FolderWatchTests: XCTestCase {
    private func stream(
        _ folders: [String], labelled: Bool = false, skipsExisting: Bool = false, cancellation: Int32? = nil
    ) throws -> ImageStream {
        ImageStream(
            try FolderWatch(
                folders, labelled: labelled, skipsExisting: skipsExisting, cancellation: cancellation))
    }

    /// What comes next, by its id.
    private func next(_ stream: inout ImageStream) throws -> String? { try stream.next()?.get().id }

    func testWhatIsThereComesFirstAndThenWhatComes() throws {
        let scratch = try Scratch(self)
        for name in ["2.jpg", "10.jpg", "sub/deep/1.png", "notes.txt", ".hidden.jpg"] { try scratch.write(name) }
        var stream = try stream([scratch.path], labelled: true)
        XCTAssertNil(stream.total)
        XCTAssertEqual(try next(&stream), "2.jpg")
        XCTAssertEqual(try next(&stream), "10.jpg")
        let deep = try stream.next()?.get()
        XCTAssertEqual(deep?.id, "sub/deep/1.png")
        XCTAssertEqual(deep?.label, .text("deep"))

        try scratch.write("sub/deep/2.png")
        XCTAssertEqual(try next(&stream), "sub/deep/2.png")
        // Folders that come with all that is in them.
        try scratch.write("new/below/3.jpg")
        XCTAssertEqual(try next(&stream), "new/below/3.jpg")
        try scratch.write("new/below/4.jpg")
        XCTAssertEqual(try next(&stream), "new/below/4.jpg")
    }

    func testExistingOnesMayBeLeftOut() throws {
        let scratch = try Scratch(self)
        try scratch.write("sub/1.jpg")
        var stream = try stream([scratch.path], skipsExisting: true)
        try scratch.write("sub/2.jpg")
        XCTAssertEqual(try next(&stream), "sub/2.jpg")
    }

    func testAFileThatIsBeingWrittenIsNotTaken() throws {
        let scratch = try Scratch(self)
        let probe = open(try scratch.write("probe"), O_RDONLY)
        defer { close(probe) }
        // F_SETLEASE
        guard fcntl(probe, 1024, F_RDLCK) == 0 else { throw XCTSkip("this file system has no leases") }
        let early = try FileHandle(forWritingTo: URL(fileURLWithPath: try scratch.write("early.jpg", [1])))
        try scratch.write("whole.jpg")
        var stream = try stream([scratch.path])
        XCTAssertEqual(try next(&stream), "whole.jpg")
        let late = try FileHandle(forWritingTo: URL(fileURLWithPath: try scratch.write("late.jpg", [])))
        // It was closed once, empty.
        XCTAssertEqual(try next(&stream), "late.jpg")
        try late.write(contentsOf: Data([1]))
        try early.write(contentsOf: Data([1, 2]))
        try scratch.write("other.jpg")
        XCTAssertEqual(try next(&stream), "other.jpg")
        try early.close()
        let entry = try stream.next()?.get()
        XCTAssertEqual(entry?.id, "early.jpg")
        XCTAssertEqual(entry?.payload, [1, 2])
        try late.close()
        XCTAssertEqual(try stream.next()?.get().payload, [1])
    }

    func testMovedAndLinkedFilesAreTaken() throws {
        let (scratch, elsewhere) = (try Scratch(self), try Scratch(self))
        var stream = try stream([scratch.path])
        let files = FileManager.default
        try scratch.write(".1.jpg.part")
        try files.moveItem(atPath: scratch.path + "/.1.jpg.part", toPath: scratch.path + "/1.jpg")
        XCTAssertEqual(try next(&stream), "1.jpg")
        try files.linkItem(atPath: try elsewhere.write("x.jpg"), toPath: scratch.path + "/2.jpg")
        XCTAssertEqual(try next(&stream), "2.jpg")
        try scratch.link("3.jpg", to: elsewhere.path + "/x.jpg")
        XCTAssertEqual(try next(&stream), "3.jpg")
        try elsewhere.write("folder/sub/4.jpg")
        try files.moveItem(atPath: elsewhere.path + "/folder", toPath: scratch.path + "/folder")
        XCTAssertEqual(try next(&stream), "folder/sub/4.jpg")
        // A folder that has been moved away is not watched any more, and one that was renamed has its new name.
        try files.moveItem(atPath: scratch.path + "/folder/sub", toPath: elsewhere.path + "/away")
        try elsewhere.write("away/5.jpg")
        try files.moveItem(atPath: scratch.path + "/folder", toPath: scratch.path + "/renamed")
        try scratch.write("renamed/6.jpg")
        XCTAssertEqual(try next(&stream), "renamed/6.jpg")
    }

    func testAFileThatHasGoneIsAnErrorInItsPlace() throws {
        let scratch = try Scratch(self)
        for name in ["1.jpg", "2.jpg"] { try scratch.write(name) }
        var stream = try stream([scratch.path])
        try FileManager.default.removeItem(atPath: scratch.path + "/1.jpg")
        XCTAssertEqual(thrown(try next(&stream))?.reason, .notFound)
        XCTAssertEqual(try next(&stream), "2.jpg")
    }

    func testEachFileComesOnceWhileManyAreWritten() throws {
        let scratch = try Scratch(self)
        let count = 1000
        let path = scratch.path
        @Sendable func write(_ file: String) {
            let descriptor = creat(file, 0o644)
            _ = [UInt8]([1, 2, 3]).withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, 3) }
            close(descriptor)
        }
        let writer = Thread {
            for number in 0..<count {
                let folder = "\(path)/\(number / 100)"
                mkdir(folder, 0o755)
                write("\(folder)/\(number).jpg")
            }
            write("\(path)/last.jpg")
        }
        writer.start()
        var stream = try stream([scratch.path])
        var ids: [String] = []
        while ids.last != "last.jpg" {
            let entry = try XCTUnwrap(stream.next()).get()
            XCTAssertEqual(entry.payload, [1, 2, 3], entry.id)
            ids.append(entry.id)
        }
        XCTAssertEqual(ids.count, count + 1)
        XCTAssertEqual(Set(ids).count, count + 1)
    }

    func testLostEventsAreToldAndTheirFilesFound() throws {
        let scratch = try Scratch(self)
        var stream = try stream([scratch.path])
        try scratch.write("first.jpg")
        XCTAssertEqual(try next(&stream), "first.jpg")
        // More than the system remembers, with one event each at the least.
        let limit = try XCTUnwrap(
            Int(
                try String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8)
                    .trimmingCharacters(in: .whitespacesAndNewlines)))
        guard limit <= 100_000 else { throw XCTSkip("the system remembers \(limit) events") }
        // Two files in turn: the system makes one event of equal ones that follow each other.
        let files = try ["a.txt", "b.txt"].map { try scratch.write($0) }
        for number in 0...limit { close(open(files[number % 2], O_WRONLY)) }
        try scratch.write("sub/late.jpg")
        var seen: Set<String> = []
        var losses = 0
        while !seen.contains("sub/late.jpg") {
            switch try XCTUnwrap(stream.next()) {
            case .success(let entry): seen.insert(entry.id)
            case .failure(let error):
                XCTAssertEqual(error.reason, .eventsLost)
                losses += 1
            }
        }
        XCTAssertEqual(losses, 1)
        try scratch.write("sub/later.jpg")
        while !seen.contains("sub/later.jpg") { seen.insert(try XCTUnwrap(try next(&stream))) }
        XCTAssertTrue(seen.isSubset(of: ["first.jpg", "sub/late.jpg", "sub/later.jpg"]), "\(seen)")
    }

    func testTheEndOfTheFolderEndsTheWatch() throws {
        let scratch = try Scratch(self)
        let folder = scratch.path + "/sub"
        try scratch.write("sub/1.jpg")
        var stream = try stream([folder])
        XCTAssertEqual(try next(&stream), "1.jpg")
        try FileManager.default.removeItem(atPath: folder)
        XCTAssertEqual(thrown(try next(&stream)), DatasetError(path: folder, reason: .notFound))
        XCTAssertNil(try next(&stream))
        XCTAssertEqual(thrown(try self.stream([folder]))?.reason, .notFound)
        XCTAssertNotNil(thrown(try self.stream([try scratch.write("file.jpg")])))
    }

    func testAWatchThatIsNoLongerWantedEnds() throws {
        let scratch = try Scratch(self)
        let cancel = Pipe()
        try cancel.fileHandleForWriting.write(contentsOf: Data([1]))
        var stream = try stream([scratch.path], cancellation: cancel.fileHandleForReading.fileDescriptor)
        XCTAssertNil(try next(&stream))
        withExtendedLifetime(cancel) {}
    }
}
