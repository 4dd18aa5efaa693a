// A journal as another process sees it: read-only, while the daemon writes.

import Foundation
import GRDB
import StreamProtocol

/// Answers questions from a journal.
public final class JournalReader: Sendable {
    /// The database.
    public let path: String
    private let queue: DatabaseQueue

    /// Opens the journal in a folder.
    ///
    /// - Throws: `JournalError`, of the kind `missing` where there is none.
    public init(directory: String) throws(JournalError) {
        let path = JournalSettings.database(in: directory)
        guard FileManager.default.fileExists(atPath: path) else {
            throw JournalError(
                .missing, operation: "open", path: path, reason: "there is no journal",
                hint: "name the daemon's journal.directory")
        }
        self.path = path
        queue = try JournalError.catching("open", path) {
            var configuration = GRDB.Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(10)
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.read { try JournalSchema.check($0, path: path) }
            return queue
        }
    }

    /// Gives the assignments that are asked for to `take`, oldest first, until it returns false.
    ///
    /// - Throws: `JournalError`.
    public func read(_ query: JournalQuery, _ take: (AssignmentMessage) -> Bool) throws(JournalError) {
        try JournalError.catching("read", path) {
            try queue.read { database in
                let epochs = try JournalFile.epochs(in: database)
                let (sql, arguments) = Self.statement(query)
                let rows = try Row.fetchCursor(database, sql: sql, arguments: arguments)
                while let row = try rows.next() {
                    let position: Int64 = try row.value(0)
                    guard let epoch = epochs.last(where: { $0.base < position }) else { continue }
                    if !take(try JournalSchema.message(row, epoch: epoch)) { return }
                }
            }
        }
    }

    private static func statement(_ query: JournalQuery) -> (sql: String, arguments: StatementArguments) {
        var conditions: [String] = []
        var arguments = StatementArguments()
        func require(_ condition: String, _ value: (any DatabaseValueConvertible)?) {
            guard let value else { return }
            conditions.append(condition)
            arguments += [value]
        }
        require("source = ?", query.source)
        require("cluster = ?", query.cluster)
        require("id = ?", query.id.map(JournalSchema.text))
        require("t_published >= ?", query.since)
        require("t_published < ?", query.until)
        var sql = JournalSchema.select
        if !conditions.isEmpty { sql += " WHERE " + conditions.joined(separator: " AND ") }
        guard let newest = query.newest else { return (sql + " ORDER BY position", arguments) }
        arguments += [newest]
        return ("SELECT * FROM (\(sql) ORDER BY position DESC LIMIT ?) ORDER BY position", arguments)
    }
}
