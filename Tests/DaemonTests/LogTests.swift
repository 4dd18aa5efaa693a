// The log: its forms, which of them is chosen, and what becomes of a fault that happens a thousand times.

import Daemon
import Foundation
import Logging
import StreamProtocol
import XCTest

final class LogTests: XCTestCase {
    /// An output whose lines are kept.
    private func output(_ form: LogFormat, level: LogLevel = .info) -> (LogOutput, Monitor<[String]>) {
        let lines = Monitor([String]())
        let output = LogOutput(Self.settings(form, level), journalStream: nil) { line in
            lines.withLock { $0.append(line) }
        }
        return (output, lines)
    }

    private static func settings(_ form: LogFormat, _ level: LogLevel) -> LogSettings {
        var settings = LogSettings()
        settings.format = form
        settings.level = level
        return settings
    }

    private let metadata: Logger.Metadata = ["source": "cam 1\nfaked line", "level": "7", "count": "3"]

    func testText() throws {
        let (output, lines) = output(.text)
        output.logger.warning("dropped an image", metadata: metadata)
        let line = try XCTUnwrap(lines.read { $0 }.first)
        XCTAssertNotNil(
            line.wholeMatch(
                of:
                    /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning dropped an image count=3 level=7 source="cam 1 faked line"\n/
            ), line)
    }

    func testTheJournalsForm() {
        let (output, lines) = output(.journald, level: .debug)
        let logger = output.logger
        for level in [Logger.Level.debug, .info, .notice, .warning, .error, .critical] { logger.log(level: level, "x") }
        XCTAssertEqual(lines.read { $0 }, ["<7>x\n", "<6>x\n", "<5>x\n", "<4>x\n", "<3>x\n", "<2>x\n"])
    }

    func testJSON() throws {
        let (output, lines) = output(.json)
        output.logger.error("a \"quoted\" fault", metadata: metadata)
        let line = try XCTUnwrap(lines.read { $0 }.first)
        XCTAssertEqual(line.last, "\n")
        XCTAssertEqual(line.filter(\.isNewline).count, 1)
        let members = try XCTUnwrap(JSON(parsing: Array(line.utf8)).members)
        XCTAssertEqual(members["message"], .string("a \"quoted\" fault"))
        XCTAssertEqual(members["level"], .string("error"))
        XCTAssertEqual(members["level_"], .string("7"), "what is called like a member of its own")
        XCTAssertEqual(members["source"], .string("cam 1\nfaked line"))
        XCTAssertNotNil(members["time"])
    }

    func testLevelAndFormChangeForLoggersThatAreThere() {
        let (output, lines) = output(.journald, level: .warning)
        let logger = output.logger
        logger.info("before")
        output.apply(Self.settings(.journald, .info))
        logger.info("after")
        XCTAssertEqual(lines.read { $0 }, ["<6>after\n"])
        output.apply(Self.settings(.json, .info))
        logger.info("later")
        XCTAssertTrue(lines.read { $0 }.last?.hasPrefix("{\"time\":") ?? false)
    }

    func testAutoIsTheJournalsFormOnlyWhereStandardErrorIsTheJournal() throws {
        let file = try XCTUnwrap(FileHandle(forReadingAtPath: "/dev/null"))
        defer { try? file.close() }
        var status = stat()
        XCTAssertEqual(fstat(file.fileDescriptor, &status), 0)
        let its = "\(status.st_dev):\(status.st_ino)"
        func resolved(_ format: LogFormat, _ stream: String?) -> LogFormat {
            format.resolved(journalStream: stream, descriptor: file.fileDescriptor)
        }
        XCTAssertEqual(resolved(.auto, its), .journald)
        XCTAssertEqual(resolved(.auto, "1:1"), .text)
        XCTAssertEqual(resolved(.auto, "nonsense"), .text)
        XCTAssertEqual(resolved(.auto, nil), .text)
        XCTAssertEqual(resolved(.json, its), .json)
        XCTAssertEqual(resolved(.text, its), .text)
    }

    // MARK: Repetition

    func testAFaultThatGoesOnIsToldOncePeriod() {
        var repetition = LogRepetition()
        let key = LogRepetition.Key(level: .error, message: "the disk is full")
        let other = LogRepetition.Key(level: .warning, message: "the disk is full")
        func at(_ seconds: Double) -> MonotonicTime { MonotonicTime(nanoseconds: 0).advanced(bySeconds: seconds) }
        let first = (0..<100).count { repetition.admits(key, at: at(Double($0) * 0.1)) }
        XCTAssertEqual(first, LogRepetition.limit)
        XCTAssertTrue(repetition.admits(other, at: at(10)), "another level is another fault")
        XCTAssertEqual(repetition.nextSummary, at(60))
        XCTAssertEqual(repetition.takeSummaries(at: at(59)), [])
        XCTAssertEqual(repetition.takeSummaries(at: at(60)), [.init(key: key, times: 90)])
        XCTAssertNil(repetition.nextSummary)
        // It goes on: one line in the next period.
        XCTAssertEqual((0..<50).count { repetition.admits(key, at: at(61 + Double($0))) }, 1)
        XCTAssertEqual(repetition.takeSummaries(at: at(120)), [.init(key: key, times: 49)])
        // It is over for a while: as new.
        XCTAssertEqual((0..<50).count { _ in repetition.admits(key, at: at(1000)) }, LogRepetition.limit)
        XCTAssertEqual(repetition.takeSummaries(at: nil), [.init(key: key, times: 40)])
    }

    func testMessagesWithoutNumberTakeBoundedMemoryAndLines() {
        var repetition = LogRepetition()
        let now = MonotonicTime(nanoseconds: 1)
        let admitted = (0..<10_000).count {
            repetition.admits(.init(level: .error, message: "cannot read file \($0)"), at: now)
        }
        XCTAssertEqual(admitted, LogRepetition.maximumMessages + LogRepetition.limit)
        let later = now.advanced(bySeconds: 61)
        XCTAssertTrue(
            repetition.admits(.init(level: .error, message: "something new"), at: later), "old ones are forgotten")
    }

    func testWhatWasLeftOutIsToldAtTheEnd() {
        let (output, lines) = output(.journald)
        let logger = output.logger
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            for number in 0..<250 {
                logger.error("cannot write", metadata: ["number": "\(number)"])
                logger.info("usual")
            }
        }
        output.finish()
        let said = lines.read { $0 }
        XCTAssertEqual(said.count { $0.hasPrefix("<3>cannot write number=") }, 10)
        XCTAssertEqual(said.count { $0 == "<6>usual\n" }, 1000, "what is no fault is never left out")
        XCTAssertEqual(said.last, "<3>repeated 990 times more: cannot write\n")
        output.finish()
        XCTAssertEqual(lines.read { $0.count }, said.count, "ending again is harmless")
        for _ in 0..<20 { logger.error("cannot write") }
        XCTAssertEqual(lines.read { $0.count }, said.count + 20, "nobody would say later how many there were")
    }
}
