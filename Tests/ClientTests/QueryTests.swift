// What `query` writes, and the times that it understands.

import Client
import Foundation
import Remote
import StreamProtocol
import XCTest

final class QueryTests: XCTestCase {
    private func written(_ format: AssignmentRecords.Format, _ messages: [AssignmentMessage]) -> [String] {
        let pipe = Pipe()
        let records = AssignmentRecords(
            format: format, output: OutputFile(descriptor: pipe.fileHandleForWriting.fileDescriptor))
        for message in messages { XCTAssertTrue(records.write(message)) }
        records.end()
        try? pipe.fileHandleForWriting.close()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private let plain = AssignmentMessage(
        epoch: "e", sequence: 12, source: "cam1", id: "a.jpg", sourceSequence: 3, taken: 4, received: 5,
        published: 1_790_000_000_123_000_000, cluster: 7, confidence: 0.25, step: 9, model: "m", labelEpoch: 1)

    func testCSVHasAHeaderAndQuotesWhatItMust() {
        var other = plain
        (other.id, other.sourceSequence, other.taken, other.confidence) = ("a,\"b\"\rc", nil, nil, .nan)
        XCTAssertEqual(
            written(.csv, [plain, other]),
            [
                "epoch,seq,source,id,source_seq,t,t_received,t_published,cluster,confidence,step,model,label_epoch",
                "e,12,cam1,a.jpg,3,4,5,1790000000123000000,7,0.25,9,m,1",
                "e,12,cam1,\"a,\"\"b\"\"\rc\",,,5,1790000000123000000,7,,9,m,1", "",
            ])
        XCTAssertEqual(written(.csv, []), [""])
    }

    func testJSONIsWhatWasPublished() {
        var other = plain
        other.probabilities = [0.5, 0.5]
        XCTAssertEqual(
            written(.json, [plain, other]), [plain, other].map { String(decoding: $0.body, as: UTF8.self) } + [""])
    }

    func testTheTableLinesUp() {
        var other = plain
        (other.id, other.source) = ("photos/\u{1B}[31m" + String(repeating: "x", count: 100), "a-long-name-of-a-camera")
        let lines = written(.table, [plain, other]).dropLast()
        XCTAssertEqual(Set(lines.map(\.count)).count, 1, "\(lines)")
        XCTAssertTrue(lines.allSatisfy { !$0.contains("\u{1B}") })
        XCTAssertTrue(lines[1].hasPrefix("        12  2026-09-"), lines[1])
        XCTAssertTrue(lines[1].hasSuffix("  0.250"), lines[1])
    }

    func testTimesAreRead() {
        let now: Int64 = 1_790_000_000_000_000_000
        func time(_ text: String) -> Int64? { PointInTime(text, now: now)?.nanoseconds }
        XCTAssertEqual(time("90m"), now - 5_400_000_000_000)
        XCTAssertEqual(time("2d"), now - 172_800_000_000_000)
        XCTAssertEqual(time("1790000000123456789"), 1_790_000_000_123_456_789)
        XCTAssertEqual(time("2026-11-24T08:30:15.5Z"), 1_795_509_015_500_000_000)
        XCTAssertEqual(time("2026-11-24 10:30:15.5+02:00"), time("2026-11-24T08:30:15.5Z"))
        XCTAssertEqual(time("2026-11-24T03:00-05:30"), time("2026-11-24T08:30:00Z"))
        XCTAssertEqual(time("2026-11-24"), time("2026-11-24T00:00"), "local time")
        let day = try! XCTUnwrap(time("2026-11-25")) - XCTUnwrap(time("2026-11-24"))
        XCTAssertEqual(day, 86_400_000_000_000)
        for wrong in [
            "", "x", "1x", "-5", "2026-13-01", "2026-02-30", "2026-11-31", "2026-11-24T25:00", "2026-11-24T08",
            "26-11-24", "2026-١١-24", "2026-11-٢٤T08:30", "٢٠٢٦-11-24",
            "2026-11-24T08:30:15.", "yesterday", "99999999999999999999", "999999999d", "2026-11-24T08:30 ",
        ] {
            XCTAssertNil(time(wrong), wrong)
        }
    }
}
