// A journal whose database somebody or something has changed: as it is read, opened, gone on with and replayed.

import Foundation
import GRDB
import Journal
import StreamProtocol

extension FuzzTarget {
    /// The bytes of a journal's database.
    static func journalFile(in folder: String, share: Double) throws -> FuzzTarget {
        let sample = try JournalSample(in: folder + "/journal-file")
        return FuzzTarget("journal-file", share: share, tokens: ["SQLite format 3\0"], seeds: [sample.bytes]) { input in
            try JournalSample.outcome(of: input, mark: sample.mark, in: folder + "/trial")
        }
    }

    /// Values of any type in its rows: after the mark beside it a frame a value, of a column, a type and the bytes.
    static func journalRows(in folder: String, share: Double) throws -> FuzzTarget {
        let sample = try JournalSample(in: folder + "/journal-rows")
        let database = try DatabaseQueue(path: sample.path)
        try database.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF")
            try database.execute(sql: "CREATE TEMP TABLE kept AS SELECT * FROM entry")
            try database.execute(sql: "CREATE TEMP TABLE epochs AS SELECT * FROM epoch")
        }
        let columns = [
            "entry SET position", "entry SET source", "entry SET id", "entry SET source_seq", "entry SET t",
            "entry SET t_received", "entry SET t_published", "entry SET cluster", "entry SET confidence",
            "entry SET step", "entry SET model", "entry SET label_epoch", "entry SET probabilities",
            "epoch SET id", "epoch SET uuid", "epoch SET base",
        ]
        let seeds = ["0i3", "1bxyz", "2t\u{0}", "5tlate", "7d1e30", "8i-1", "9nx", "=i9223372036854775807", "?i-5"]
        let marks = ["", "torn", String(decoding: sample.mark, as: UTF8.self)]
        return FuzzTarget(
            "journal-rows", share: share, tokens: ["\u{1E}?i-9223372036854775808", "\u{1E}0i9223372036854775807"],
            seeds: marks.flatMap { mark in seeds.map { Array((mark + "\u{1E}" + $0).utf8) } }
        ) { input in
            let parts = frames(of: input)
            try database.writeWithoutTransaction { database in
                try database.execute(
                    sql: """
                        DELETE FROM entry; INSERT INTO entry SELECT * FROM kept;
                        DELETE FROM epoch; INSERT INTO epoch SELECT * FROM epochs;
                        """)
                for part in parts.dropFirst().prefix(8) where part.count >= 2 {
                    let column = columns[Int(part[0] & 15)]
                    // What a table's constraints do not let in is left out.
                    try? database.execute(
                        sql: "UPDATE \(column) = ? WHERE rowid = (SELECT max(rowid) FROM \(column.prefix(5)))",
                        arguments: [value(type: part[1], Array(part[2...]))])
                }
            }
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: sample.path)))
            return try JournalSample.outcome(of: bytes, mark: parts[0], in: folder + "/trial")
        }
    }

    private static func value(type: UInt8, _ bytes: [UInt8]) -> DatabaseValue {
        let text = String(decoding: bytes, as: UTF8.self)
        return switch type {
        case UInt8(ascii: "i"): (Int64(text) ?? 0).databaseValue
        case UInt8(ascii: "d"): (Double(text) ?? -0.5).databaseValue
        case UInt8(ascii: "t"): text.databaseValue
        case UInt8(ascii: "n"): .null
        default: Data(bytes).databaseValue
        }
    }
}

/// A small journal, and what is done with one that has been changed.
private struct JournalSample {
    /// The database.
    let path: String
    /// Its bytes.
    let bytes: [UInt8]
    /// What its daemon wrote beside it.
    let mark: [UInt8]

    init(in folder: String) throws {
        let journal = try Journal(settings: JournalSettings(directory: folder)) { _ in }
        var messages = (1...6).map { Self.message($0, epoch: journal.numbering.epoch) }
        journal.append(&messages)
        journal.close()
        path = folder + "/journal.sqlite"
        // The same bytes in every run.
        let epoch = "5f0e8bb4-41b9-4d3c-9a58-3c5f6f3c0a51"
        try DatabaseQueue(path: path).writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA journal_mode = DELETE; UPDATE epoch SET uuid = '\(epoch)'")
        }
        bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        mark = Array("writing \(epoch) durable 1\n".utf8)
    }

    private static func message(_ number: UInt64, epoch: String) -> AssignmentMessage {
        AssignmentMessage(
            epoch: epoch, sequence: number, source: "cam", id: "\(number).jpg", sourceSequence: number, taken: 1,
            received: 2, published: 3, cluster: 4, confidence: 0.5, step: 6, model: "step-000000001",
            probabilities: [0.25, 0.75])
    }

    /// Reads a database as `query` does, then opens it as a daemon does and goes on with it.
    static func outcome(of database: [UInt8], mark: [UInt8], in folder: String) throws -> String {
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try ScratchFile(folder + "/journal.sqlite").write(database)
        try ScratchFile(folder + "/journal.numbering").write(mark)
        var outcome = ""
        do {
            var rows = 0
            try JournalReader(directory: folder).read(JournalQuery()) { _ in
                rows += 1
                return true
            }
            outcome = "\(min(rows, 7)) rows"
        } catch {
            try require(!error.reason.isEmpty, "no reason")
            outcome = FuzzTarget.word(error.reason)
        }
        let journal: Journal
        do {
            journal = try Journal(settings: JournalSettings(directory: folder)) { _ in }
        } catch {
            return outcome + ", not opened: " + FuzzTarget.word(error.reason)
        }
        defer { journal.close() }
        let next = journal.numbering.last + 1
        var messages = [message(next, epoch: journal.numbering.epoch)]
        journal.append(&messages)
        do {
            let replay = try journal.replay(epoch: nil, from: 1, limit: 20)
            try require(replay.last == next, "\(replay.last) is the last number after \(next)")
            _ = try journal.replay(epoch: nil, from: next, limit: 20)
            journal.maintain(now: 1_000_000_000)
            return outcome + ", replayed \(replay.messages.count) \(replay.gap != nil)"
        } catch let error as JournalError {
            return outcome + ", not replayed: " + FuzzTarget.word(error.reason)
        }
    }
}
