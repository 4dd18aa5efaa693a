// One database file: opened and checked, appended to, read, trimmed and checkpointed. It knows rows and nothing of failing.
//
// In WAL mode a reader never waits for the writer nor the writer for a reader. SQLite would move the log into the database
// during some commit, with two fsyncs; that is left to `checkpoint`, which is called from a thread that nobody waits for.

import Foundation
import GRDB
import StreamProtocol

/// A journal's database; thread-safe, one `append` at a time.
final class JournalFile: Sendable {
    /// The database.
    let path: String
    private let pool: DatabasePool
    private let maintenance: DatabaseQueue

    /// Files up to this size are checked page by page when they are opened.
    private static let fullCheckBytes: Int64 = 128 << 20
    /// Pages in the log from which on appending is stopped for a moment to have it begin anew: 32 MiB.
    private static let longLog = 8192

    /// Opens a database, made where it is missing.
    ///
    /// - Throws: `JournalError`, of the kind `damaged` where the file is not a whole journal of this version.
    init(path: String, synchronous: JournalSettings.Synchronous) throws(JournalError) {
        self.path = path
        (pool, maintenance) = try JournalError.catching("open", path) {
            try Self.check(path)
            var configuration = GRDB.Configuration()
            configuration.busyMode = .timeout(10)
            configuration.foreignKeysEnabled = false
            configuration.prepareDatabase { database in
                try database.execute(sql: "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864")
            }
            let pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA synchronous = \(synchronous.rawValue)")
                guard try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") == 0 else { return }
                try database.inTransaction(.immediate) {
                    try database.execute(sql: JournalSchema.tables)
                    return .commit
                }
            }
            return (pool, try DatabaseQueue(path: path, configuration: configuration))
        }
    }

    /// Ends the work on the file; what is in it is on disk then.
    func close() throws(JournalError) {
        try JournalError.catching("close", path) {
            try pool.writeWithoutTransaction { database in
                // With FULL a commit synchronizes the whole log, in whatever mode it was written.
                try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA user_version = \(JournalSchema.version)")
            }
            try pool.close()
            // The last connection to close removes the log, which one that only reads cannot.
            try maintenance.close()
        }
    }

    // MARK: Checking

    /// Looks at a database without changing it; one that is missing or empty is in order.
    private static func check(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0, status.st_size > 0 else { return }
        var configuration = GRDB.Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        try DatabaseQueue(path: path, configuration: configuration).read { database in
            guard try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") != 0 else { return }
            try JournalSchema.check(database, path: path)
            guard Int64(status.st_size) <= fullCheckBytes else { return }
            let finding = try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? "nothing"
            guard finding == "ok" else {
                throw JournalError.damaged(path, finding.replacing("\n", with: " "))
            }
        }
    }

    // MARK: Numbering

    /// All epochs, in their order.
    func epochs() throws(JournalError) -> [Epoch] {
        try JournalError.catching("read", path) { try pool.read(Self.epochs) }
    }

    static func epochs(in database: Database) throws -> [Epoch] {
        try Row.fetchAll(database, sql: "SELECT uuid, base FROM epoch ORDER BY id").map {
            Epoch(uuid: try $0.value(0), base: try $0.value(1))
        }
    }

    /// Begins an epoch.
    func begin(_ epoch: Epoch) throws(JournalError) {
        try JournalError.catching("write", path) {
            try pool.write { database in
                try database.execute(
                    sql: "INSERT INTO epoch (uuid, base) VALUES (?, ?)", arguments: [epoch.uuid, epoch.base])
            }
        }
    }

    /// The oldest and the newest position; nil where there is no row.
    func bounds() throws(JournalError) -> ClosedRange<Int64>? {
        try JournalError.catching("read", path) { try pool.read(Self.bounds) }
    }

    private static func bounds(_ database: Database) throws -> ClosedRange<Int64>? {
        // One min or max alone is looked up; both in one query would read all rows.
        guard let oldest = try Int64.fetchOne(database, sql: "SELECT min(position) FROM entry"),
            let newest = try Int64.fetchOne(database, sql: "SELECT max(position) FROM entry")
        else { return nil }
        guard oldest <= newest else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the oldest assignment comes after the newest")
        }
        return oldest...newest
    }

    // MARK: Rows

    /// Writes assignments of `epoch` in one transaction.
    func append(_ messages: some Collection<AssignmentMessage>, epoch: Epoch) throws(JournalError) {
        try JournalError.catching("write", path) {
            try pool.write { database in
                let statement = try database.cachedStatement(sql: JournalSchema.insert)
                for message in messages {
                    statement.setUncheckedArguments(
                        JournalSchema.arguments(message, position: epoch.position(message.sequence)))
                    try statement.execute()
                }
            }
        }
    }

    /// The first assignments of `epoch` with numbers in `range` that follow each other without a hole.
    ///
    /// - Parameters:
    ///   - limit: how many at most.
    ///   - maximumBytes: of their probabilities, beyond which no further one is taken.
    func run(
        of epoch: Epoch, in range: ClosedRange<UInt64>, limit: Int, maximumBytes: Int
    ) throws(JournalError) -> [AssignmentMessage] {
        try JournalError.catching("read", path) {
            try pool.read { database in
                var messages: [AssignmentMessage] = []
                var bytes = 0
                let rows = try Row.fetchCursor(
                    database, sql: "\(JournalSchema.select) WHERE position BETWEEN ? AND ? ORDER BY position LIMIT ?",
                    arguments: [epoch.position(range.lowerBound), epoch.position(range.upperBound), limit])
                while bytes < maximumBytes, let row = try rows.next() {
                    let message = try JournalSchema.message(row, epoch: epoch)
                    if let last = messages.last, message.sequence != last.sequence + 1 { break }
                    bytes += 16 * (message.probabilities?.count ?? 0)
                    messages.append(message)
                }
                return messages
            }
        }
    }

    // MARK: Maintenance

    /// Removes the oldest rows, at most `slice` of them, of those that are not among the `keepRows` newest or were
    /// published before `cutoff`; never the newest, which numbering goes on from.
    ///
    /// - Returns: what is left, and whether there is more to remove.
    func trim(
        keepRows: Int?, publishedBefore cutoff: Int64?, slice: Int64
    ) throws(JournalError) -> (bounds: ClosedRange<Int64>?, isDone: Bool) {
        try JournalError.catching("trim", path) {
            guard let before = try pool.read(Self.bounds) else { return (nil, true) }
            let (oldest, newest) = (before.lowerBound, before.upperBound)
            let last = min(oldest + slice, newest) - 1
            // By positions: a hole counts as the row that it was.
            let surplus = keepRows.map { min(last, newest - Int64(clamping: $0)) } ?? oldest - 1
            let cutoff = cutoff ?? .min
            let time = try pool.read { database in
                try Int64.fetchOne(
                    database, sql: "SELECT t_published FROM entry WHERE position = ?", arguments: [oldest])
            }
            guard last >= oldest, surplus >= oldest || time ?? .max < cutoff else { return (before, true) }
            try pool.write { database in
                try database.execute(
                    // The sign keeps SQLite from looking through the index of times instead of the slice.
                    sql: "DELETE FROM entry WHERE position <= ? AND (position <= ? OR +t_published < ?)",
                    arguments: [last, surplus, cutoff])
            }
            return (try pool.read(Self.bounds), false)
        }
    }

    /// Moves the log into the database, beside the writer. A log that has become long is ended while the writer waits, so
    /// that the next transaction begins it anew; readers of an old state are not waited for.
    func checkpoint() throws(JournalError) {
        try JournalError.catching("checkpoint", path) {
            let log = try maintenance.writeWithoutTransaction { try $0.checkpoint(.passive) }
            guard log.walFrameCount > Self.longLog, log.walFrameCount > log.checkpointedFrameCount else { return }
            _ = try pool.writeWithoutTransaction { try $0.checkpoint(.passive) }
        }
    }

    /// Bytes of the database and its log.
    var bytes: Int64 {
        ["", "-wal"].reduce(0) { sum, suffix in
            var status = stat()
            return stat(path + suffix, &status) == 0 ? sum + Int64(status.st_size) : sum
        }
    }

    // MARK: Setting aside

    /// Renames a database with what belongs to it, so that a new one can take its name.
    ///
    /// - Returns: the new path.
    static func setAside(_ path: String) throws(JournalError) -> String {
        var parts = tm()
        var now = time(nil)
        gmtime_r(&now, &parts)
        var text = [CChar](repeating: 0, count: 32)
        strftime(&text, text.count, "%Y%m%dT%H%M%SZ", &parts)
        let stem = path + ".damaged-" + text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        var status = stat()
        var kept = stem
        var number = 2
        while stat(kept, &status) == 0 {
            kept = "\(stem)-\(number)"
            number += 1
        }
        // The log first: without it the old database is still one, with it a new one would not be.
        for suffix in ["-wal", "-shm", ""] where stat(path + suffix, &status) == 0 {
            let (from, to) = (path + suffix, kept + suffix)
            try call("rename", from) { rename(from, to) }
        }
        return kept
    }
}
