// What people see: numbers, the bar, the table, and JSON lines, at widths from roomy to absurd.

import Client
import Foundation
import Remote
import StreamProtocol
import XCTest

final class DisplayTests: XCTestCase {
    func testNumbersReadAsPeopleWriteThem() {
        XCTAssertEqual(
            [0, 999, 1000, 70_000, 1_234_567].map { grouped($0) }, ["0", "999", "1,000", "70,000", "1,234,567"])
        XCTAssertEqual(grouped(-1234), "-1,234")
        XCTAssertEqual(
            [0, 0.04, 12.34, 99.96, 123.4, 12_345.6].map { quantity($0) },
            ["0.0", "0.0", "12.3", "100.0", "123", "12,346"])
        XCTAssertEqual(decimal(.nan, places: 3), "-")
        XCTAssertEqual(decimal(-0.0004, places: 3), "0.000")
        XCTAssertEqual(decimal(0.9996, places: 3), "1.000")
        XCTAssertEqual(
            [12, 1000, 54_880_000, 999_950, 2_500_000_000].map { byteCount($0) },
            ["12 bytes", "1.0 kB", "54.9 MB", "1.0 MB", "2.5 GB"])
        XCTAssertEqual(
            [.seconds(2), .milliseconds(2440), .seconds(192), .seconds(7260)].map { seconds($0) },
            ["2 s", "2.4 s", "3 min 12 s", "2 h 1 min"])
        XCTAssertEqual(
            [.milliseconds(6500), .seconds(125), .seconds(3723)].map { clock($0) }, ["0:07", "2:05", "1:02:03"])
        XCTAssertEqual([1, 2].map { counted($0, "image") }, ["1 image", "2 images"])
    }

    func testForeignNamesCannotMoveTheCursor() {
        XCTAssertEqual(printable("a\u{1B}[2Jb\r\nc\u{202E}d"), "a\u{FFFD}[2Jb\u{FFFD}\u{FFFD}c\u{FFFD}d")
        XCTAssertEqual(printable("Käse 猫.jpg"), "Käse 猫.jpg")
    }

    func testTextIsCutToColumns() {
        XCTAssertEqual(fitted("abc", 5), "abc  ")
        XCTAssertEqual(fitted("abcdef", 4), "abc…")
        XCTAssertEqual(fitted("abcdef", 4, keepingEnd: true), "…def")
        XCTAssertEqual(fitted("猫猫猫", 4), "猫… ")
        XCTAssertEqual(fitted("猫猫猫", 6), "猫猫猫")
    }

    func testFramesOfAVideoAreDueAsItPlays() {
        var clock = PlaybackClock()
        let start = ContinuousClock.now
        func due(_ milliseconds: Int, at now: Int) -> Duration {
            clock.due(.milliseconds(milliseconds), now: start + .milliseconds(now)) - start
        }
        XCTAssertEqual(due(500, at: 0), .zero, "a video need not begin at 0")
        XCTAssertEqual(due(540, at: 1), .milliseconds(40))
        XCTAssertEqual(due(580, at: 100), .milliseconds(80), "late, and not later for it")
        XCTAssertEqual(due(620, at: 5000), .milliseconds(5000), "held up: it goes on from there")
        XCTAssertEqual(due(660, at: 5001), .milliseconds(5040))
        XCTAssertEqual(due(0, at: 5050), .milliseconds(5050), "again")
        XCTAssertEqual(due(40, at: 5060), .milliseconds(5090))
    }

    private func progress(_ sent: Int, of total: Int?, unreadable: Int = 0) -> FeedProgress {
        var progress = FeedProgress()
        progress.sent = sent
        progress.total = total
        progress.unreadable = unreadable
        return progress
    }

    func testTheBarFitsItsTerminal() {
        let bar = ProgressBar(speaksUTF8: true)
        let half = progress(35_000, of: 70_000)
        func line(_ progress: FeedProgress, rate: Double? = 12_345, width: Int) -> String {
            bar.line(progress, rate: rate, endpoint: "tcp://127.0.0.1:5556", width: width)
        }
        XCTAssertEqual(
            line(half, width: 200),
            " 50% " + String(repeating: "█", count: 20) + String(repeating: " ", count: 20)
                + "  35,000/70,000  12,345/s  ETA 0:03")
        XCTAssertEqual(line(half, width: 50), " 50% █████       35,000/70,000  12,345/s  ETA 0:03")
        XCTAssertEqual(line(half, width: 44), " 50%  35,000/70,000  12,345/s  ETA 0:03")
        XCTAssertEqual(line(half, width: 30), " 50%  35,000/70,000  12,345/s")
        XCTAssertEqual(line(half, width: 10), " 50%  35,…")
        for width in 1...200 { XCTAssertLessThanOrEqual(columns(line(half, width: width)), width) }

        XCTAssertEqual(line(progress(7, of: nil, unreadable: 1), rate: nil, width: 80), "8 images  1 unreadable")
        var waiting = progress(0, of: 10)
        waiting.obstacle = .noReceiver
        XCTAssertTrue(line(waiting, rate: nil, width: 80).contains("waiting for a receiver at tcp://127.0.0.1:5556"))
        XCTAssertTrue(line(progress(0, of: 0), rate: nil, width: 80).hasPrefix("100%"))
    }

    func testTheBarIsASCIIWhereItMustBe() {
        let line = ProgressBar(speaksUTF8: false).line(progress(5, of: 10), rate: nil, endpoint: "", width: 80)
        XCTAssertTrue(line.unicodeScalars.allSatisfy(\.isASCII), line)
        XCTAssertTrue(line.hasPrefix(" 50% [##"), line)
    }

    func testTheSummarySaysEverything() {
        var done = progress(70_000, of: 70_002, unreadable: 2)
        done.bytes = 54_880_000
        done.elapsed = .milliseconds(2000)
        XCTAssertEqual(
            FeedDisplay.summary(done, interrupted: true),
            "70,000 images (54.9 MB) sent in 2 s, 35,000 a second; 2 could not be read; interrupted, 70,002 were to be sent"
        )
    }

    func testDeadlinesDoNotDrift() {
        let start = ContinuousClock.now
        var pacer = Pacer(rate: 1000, start: start)
        for number in 1...500 {
            // Late by less than a second: the deadlines stay where they are.
            XCTAssertEqual(pacer.next(now: start + .milliseconds(number + 900)), start + .milliseconds(number))
        }
        let late = start + .seconds(5)
        XCTAssertEqual(pacer.next(now: late), late, "no burst after a long wait")
        XCTAssertEqual(pacer.next(now: late), late + .milliseconds(1))
    }

    private let assignment = AssignmentMessage(
        epoch: "e", sequence: 1, source: "a-camera-with-a-long-name", id: "photos/cats/00000042.jpg",
        received: 1_000_000,
        published: 13_345_678, cluster: 7, confidence: 0.9312, step: 1, model: "m")

    func testTheTableFitsAndLinesUp() {
        for width in [40, 80, 120, 300] {
            let table = AssignmentTable(width: width)
            let rows = [
                table.header, table.row(assignment),
                table.row(RejectedMessage(source: "猫", id: nil, reason: "truncated-jpeg"), at: 0),
            ]
            XCTAssertEqual(Set(rows.map { columns($0) }).count, 1, rows.joined(separator: "\n"))
            if width >= 80 { XCTAssertLessThan(columns(rows[0]), width) }
        }
        let row = AssignmentTable(width: 80).row(assignment)
        XCTAssertTrue(row.hasSuffix("…s/cats/00000042.jpg        7       0.931     12.3 ms"), row)
    }

    func testJSONLinesAreWrittenWhole() throws {
        let pipe = Pipe()
        let display = WatchDisplay(
            settings: try WatchSettings(), json: false,
            output: OutputFile(descriptor: pipe.fileHandleForWriting.fileDescriptor))
        XCTAssertTrue(display.show(.assignment(assignment, json: Array("{\"a\":1}".utf8)), WatchTally()))
        XCTAssertTrue(display.show(.assignment(assignment, json: Array("{\"a\":2}".utf8)), WatchTally()))
        XCTAssertTrue(display.show(.idle, WatchTally()))
        XCTAssertEqual(pipe.fileHandleForReading.availableData, Data("{\"a\":1}\n{\"a\":2}\n".utf8))

        signal(SIGPIPE, SIG_IGN)
        try pipe.fileHandleForReading.close()
        _ = display.show(.assignment(assignment, json: Array("{\"a\":3}".utf8)), WatchTally())
        XCTAssertFalse(display.show(.idle, WatchTally()))
        XCTAssertEqual(display.ending, .readerGone)
    }

    func testSettingsAreChecked() {
        XCTAssertThrowsError(try FeedSettings(source: "a b"))
        XCTAssertThrowsError(try FeedSettings(source: ""))
        XCTAssertThrowsError(try FeedSettings(rate: 0))
        XCTAssertThrowsError(try FeedSettings(rate: .nan))
        XCTAssertThrowsError(try FeedSettings(timeout: .zero))
        XCTAssertThrowsError(try WatchSettings(source: "a/b"))
        XCTAssertThrowsError(try WatchSettings(count: 0))
        XCTAssertThrowsError(try WatchSettings(control: "tcp://127.0.0.1:1", start: 0))
        XCTAssertThrowsError(try WatchSettings(start: 1), "there is nobody to ask")
        XCTAssertThrowsError(try WatchSettings(control: "tcp://127.0.0.1:1", epoch: "e"))
        XCTAssertEqual(WatchSettings.control(beside: "tcp://127.0.0.1:5557"), "tcp://127.0.0.1:5558")
        XCTAssertNil(WatchSettings.control(beside: "ipc:///tmp/a"))
        XCTAssertNil(WatchSettings.control(beside: "tcp://127.0.0.1:65535"))
        XCTAssertEqual(try FeedSettings(pattern: .pub).endpoint, "tcp://127.0.0.1:5555")
    }
}
