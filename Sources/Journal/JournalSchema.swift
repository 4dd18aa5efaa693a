// The tables, and an assignment as a row of them.
//
// A row's key is its position, which grows by one from assignment to assignment across all epochs, so that both the newest
// rows and the oldest lie together, whatever epoch they are of. An epoch begins after its `base`: a number is the row's
// position less the base. Missing positions are assignments that have expired or could not be journaled.

import Foundation
import GRDB
import StreamProtocol

/// A numbering: its identifier and where in the table it begins.
struct Epoch: Sendable, Equatable {
    var uuid: String
    var base: Int64

    func position(_ sequence: UInt64) -> Int64 { base + Int64(clamping: sequence) }
    func sequence(_ position: Int64) -> UInt64 { UInt64(position - base) }
}

enum JournalSchema {
    /// "clus": what `PRAGMA application_id` tells a journal by.
    static let applicationID = 0x636C_7573
    /// Raised when the tables change.
    static let version = 1

    static let tables = """
        PRAGMA application_id = \(applicationID);
        PRAGMA user_version = \(version);
        CREATE TABLE epoch (id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, base INTEGER NOT NULL);
        CREATE TABLE entry (
            position INTEGER PRIMARY KEY, source TEXT NOT NULL, id, source_seq INTEGER, t INTEGER,
            t_received INTEGER NOT NULL, t_published INTEGER NOT NULL, cluster INTEGER NOT NULL, confidence REAL,
            step INTEGER NOT NULL, model TEXT NOT NULL, label_epoch INTEGER NOT NULL, probabilities BLOB);
        CREATE INDEX entry_t_published ON entry (t_published);
        CREATE VIEW assignment AS
            SELECT epoch.uuid AS epoch, position - base AS seq, source, entry.id AS id, source_seq, t, t_received,
                t_published, cluster, confidence, step, model, label_epoch
            FROM entry JOIN epoch ON epoch.id = (SELECT max(e.id) FROM epoch e WHERE e.base < position);
        """

    private static let columns = """
        position, source, id, source_seq, t, t_received, t_published, cluster, confidence, step, model, label_epoch, \
        probabilities
        """

    /// Again where the row is there already: a transaction may have reached the disk and its success not the program.
    static let insert = "INSERT OR REPLACE INTO entry (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    static let select = "SELECT \(columns) FROM entry"

    /// Throws a `JournalError` of the kind `damaged` where a database is no journal of this version.
    static func check(_ database: Database, path: String) throws {
        func number(_ pragma: String) throws -> Int { try Int.fetchOne(database, sql: "PRAGMA \(pragma)") ?? 0 }
        guard try number("application_id") == applicationID else {
            throw JournalError.damaged(path, "it is another program's database")
        }
        let found = try number("user_version")
        guard found == version else {
            throw JournalError.damaged(path, "it is of version \(found), and this program reads version \(version)")
        }
        let bases: [Int64]
        var ends: [Int64] = []
        do {
            _ = try database.makeStatement(sql: insert)
            bases = try JournalFile.epochs(in: database).map(\.base)
            for order in ["ASC", "DESC"] {
                let rows = try Row.fetchAll(database, sql: "\(select) ORDER BY position \(order) LIMIT 100")
                if let row = rows.first { ends.append(try row.value(0)) }
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
            throw JournalError.damaged(path, error.message ?? "\(error)")
        }
        // Numbers are differences of places, which are far from where those overflow.
        guard bases == bases.sorted(), ends == ends.sorted(),
            (bases + ends).allSatisfy({ (0...Int64.max / 2).contains($0) })
        else {
            throw JournalError.damaged(path, "its assignments have impossible places")
        }
    }

    static func arguments(_ message: AssignmentMessage, position: Int64) -> StatementArguments {
        [
            position, message.source, message.id.map(text), message.sourceSequence.map { Int64(bitPattern: $0) },
            message.taken, message.received, message.published, message.cluster,
            // SQLite has no NaN, and makes null of it.
            message.confidence.isNaN ? nil : Double(message.confidence),
            Int64(bitPattern: message.step), message.model, message.labelEpoch, message.probabilities.map(data),
        ]
    }

    /// Reads a row. Throws a `DatabaseError` with the code `SQLITE_CORRUPT` where a value is of a type that is never written.
    static func message(_ row: Row, epoch: Epoch) throws -> AssignmentMessage {
        AssignmentMessage(
            epoch: epoch.uuid, sequence: epoch.sequence(try row.value(0)), source: try row.value(1), id: text(row[2]),
            sourceSequence: try row.optional(3, as: Int64.self).map { UInt64(bitPattern: $0) },
            taken: try row.optional(4), received: try row.value(5), published: try row.value(6),
            cluster: try row.value(7), confidence: try row.optional(8, as: Double.self).map { Float($0) } ?? .nan,
            step: UInt64(bitPattern: try row.value(9)), model: try row.value(10), labelEpoch: try row.value(11),
            probabilities: try row.optional(12, as: Data.self).map(floats))
    }

    /// A text as a value. Texts end at their first zero byte for SQLite's functions, so one that has any is kept as bytes.
    static func text(_ text: String) -> DatabaseValue {
        text.utf8.contains(0) ? Data(text.utf8).databaseValue : text.databaseValue
    }

    private static func text(_ value: DatabaseValue) -> String? {
        switch value.storage {
        case .string(let text): text
        case .blob(let bytes): String(decoding: bytes, as: UTF8.self)
        default: nil
        }
    }

    /// binary32, little-endian.
    private static func data(_ values: [Float]) -> Data {
        values.map { $0.bitPattern.littleEndian }.withUnsafeBytes { Data($0) }
    }

    private static func floats(_ data: Data) -> [Float] {
        data.withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
            }
        }
    }
}

extension Row {
    /// A column's value. SQLite holds values of any type in any column, and GRDB traps on those that it cannot convert.
    func value<Value: DatabaseValueConvertible>(_ column: Int) throws -> Value {
        guard let value = Value.fromDatabaseValue(self[column]) else {
            throw DatabaseError(
                resultCode: .SQLITE_CORRUPT, message: "a row has a value of another type than its column")
        }
        return value
    }

    /// A column's value, nil where it is null.
    func optional<Value: DatabaseValueConvertible>(_ column: Int, as type: Value.Type = Value.self) throws -> Value? {
        (self[column] as DatabaseValue).isNull ? nil : try value(column) as Value
    }
}
