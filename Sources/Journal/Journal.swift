// The daemon's memory of what it has published: assignments on disk before they are sent, and sent again when asked for.
//
// Nothing here stops the stream. While the disk takes nothing, assignments are published all the same and wait in memory,
// as many as fit; `maintain` writes them when the disk takes them again. What did not fit is a hole that readers are told
// of. The numbers of an epoch are never given twice: see NumberingMark. Where not even that can be written, they are given in
// a new epoch, so that whoever opens the journal next may go on in the old one.

import Foundation
import StreamProtocol
import Synchronization

/// A journal that is being written; thread-safe. Only one may have a folder.
public final class Journal: Sendable {
    private struct State: Sendable {
        var file: JournalFile
        var epoch: Epoch
        /// Whether the database knows the epoch.
        var isBegun = true
        var last: UInt64
        var backlog: Backlog
        var failure: JournalError?
        /// Whether the mark says that the database can be trusted.
        var isMarked: Bool
        var lostCount: UInt64 = 0
        var bounds: ClosedRange<Int64>?
        var isClosed = false
    }

    /// The last number given, in the epoch that assignments are to be numbered in; the next is one more.
    public var numbering: AssignmentNumbering {
        state.withLock { AssignmentNumbering(epoch: $0.epoch.uuid, last: $0.last) }
    }
    private let settings: JournalSettings
    private let mark: NumberingMark
    private let tell: @Sendable (JournalEvent) -> Void
    private let state: Mutex<State>

    /// How many rows are removed, or written after a failure, in one transaction: what a batch may have to wait for.
    private static let slice = 1000
    /// Bytes of probabilities as text, about, in one reply.
    private static let replayBytes = 4 << 20

    // MARK: Opening

    /// Opens the journal in a folder, both made where they are missing, and settles where numbering goes on.
    ///
    /// - Parameter tell: is told how it was opened, and later of each change of its state; called on any thread.
    /// - Throws: `JournalError` where the folder cannot be used, of the kind `inUse` where another journal has it. A
    ///   damaged database is no error: it is kept under another name.
    public init(settings: JournalSettings, tell: @escaping @Sendable (JournalEvent) -> Void) throws(JournalError) {
        self.settings = settings
        self.tell = tell
        let path = JournalSettings.database(in: settings.directory)
        do {
            try FileManager.default.createDirectory(atPath: settings.directory, withIntermediateDirectories: true)
        } catch {
            let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? POSIXError
            throw .system("create", settings.directory, code: cause?.code.rawValue ?? EIO)
        }
        mark = try NumberingMark(path: settings.directory + "/journal.numbering")

        var file: JournalFile
        var isDamaged = false
        do throws(JournalError) {
            file = try JournalFile(path: path, synchronous: settings.synchronous)
        } catch {
            guard error.kind == .damaged else { throw error }
            isDamaged = true
            let kept = try JournalFile.setAside(path)
            file = try JournalFile(path: path, synchronous: settings.synchronous)
            tell(.damaged(error, keptAs: kept))
        }
        let bounds = try file.bounds()
        let (epoch, last) = try Self.numbering(in: file, bounds: bounds, found: mark.found, isDamaged: isDamaged, tell)
        try mark.write(NumberingMark.writing(epoch: epoch.uuid, isDurable: settings.synchronous == .full))
        state = Mutex(
            State(
                file: file, epoch: epoch, last: last, backlog: Backlog(maximumBytes: settings.backlogBytes),
                isMarked: true, bounds: bounds))
    }

    /// The epoch to go on in and its last number: the newest of the database, or a new one where that is not certain.
    private static func numbering(
        in file: JournalFile, bounds: ClosedRange<Int64>?, found: NumberingMark.State?, isDamaged: Bool,
        _ tell: (JournalEvent) -> Void
    ) throws(JournalError) -> (Epoch, UInt64) {
        let newest = try file.epochs().last
        let reason: String?
        if let newest {
            let last = bounds.map { newest.sequence(max($0.upperBound, newest.base)) } ?? 0
            reason = (found ?? .uncertain).doubt(epoch: newest.uuid, last: last, boot: NumberingMark.boot())
            if reason == nil {
                tell(.resumed(epoch: newest.uuid, last: last))
                return (newest, last)
            }
        } else {
            reason = isDamaged ? "the journal was damaged" : found == nil ? nil : "the journal is gone"
        }
        let epoch = Epoch(uuid: UUID().uuidString.lowercased(), base: bounds?.upperBound ?? 0)
        try file.begin(epoch)
        tell(reason.map { .renumbered(epoch: epoch.uuid, reason: $0) } ?? .started(epoch: epoch.uuid))
        return (epoch, 0)
    }

    deinit { close() }

    /// Brings all to disk and lets go of the folder. Nothing may be appended after it. Harmless at any time.
    public func close() {
        let wasOpen = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        guard wasOpen else { return }
        if state.withLock({ $0.failure != nil }) { retry() }
        let (file, epoch, last, isWhole) = state.withLock { ($0.file, $0.epoch, $0.last, $0.failure == nil) }
        do throws(JournalError) {
            try file.close()
            if isWhole { try mark.write(.closed(epoch: epoch.uuid, last: last)) }
        } catch {
            if isWhole { tell(.failing(error)) }
        }
        mark.unlock()
    }

    // MARK: Writing

    /// Writes assignments in one transaction, or puts them by in memory where that fails. They may be published then.
    ///
    /// - Parameter messages: numbered after `numbering` without a hole; one call at a time. They have other numbers afterwards
    ///   where numbering had to start again.
    public func append(_ messages: inout [AssignmentMessage]) {
        guard let last = messages.last?.sequence else { return }
        var isNew = false
        let target = state.withLock { state -> (JournalFile, Epoch)? in
            precondition(
                messages[0].epoch == state.epoch.uuid && messages[0].sequence == state.last + 1, "a hole in the numbers"
            )
            guard state.failure != nil else { return (state.file, state.epoch) }
            isNew = putBy(&messages, in: &state)
            return nil
        }
        if let (file, epoch) = target {
            do throws(JournalError) {
                try file.append(messages, epoch: epoch)
                return state.withLock { $0.last = last }
            } catch {
                state.withLock { state in
                    state.failure = error
                    isNew = putBy(&messages, in: &state)
                }
                tell(.failing(error))
            }
        }
        guard isNew else { return }
        tell(
            .renumbered(
                epoch: messages[0].epoch,
                reason: "that assignments are missing from the journal cannot be written down either"))
    }

    /// Keeps assignments that cannot be written, and sees to it before they are published that nobody gives their numbers
    /// again.
    ///
    /// - Returns: whether a new epoch had to begin for that.
    private func putBy(_ messages: inout [AssignmentMessage], in state: inout State) -> Bool {
        defer {
            state.backlog.add(messages)
            state.last = messages.last!.sequence
        }
        guard state.isMarked else { return false }
        state.isMarked = false
        if (try? mark.write(.uncertain)) != nil { return false }
        // All numbers of the old epoch are in the database, which says so itself.
        state.epoch = Epoch(uuid: UUID().uuidString.lowercased(), base: state.epoch.position(state.last))
        state.isBegun = false
        for index in messages.indices {
            messages[index].epoch = state.epoch.uuid
            messages[index].sequence = UInt64(index) + 1
        }
        return true
    }

    /// What is to be done now and then, about once a second, on a thread that nobody waits for: writes what could not be
    /// written, removes what has expired, and moves the log into the database.
    ///
    /// - Parameters:
    ///   - now: nanoseconds since 1970.
    ///   - isStopping: asked between two slices of the work.
    public func maintain(now: Int64, isStopping: () -> Bool = { false }) {
        let (file, isFailing, isMarked) = state.withLock { ($0.file, $0.failure != nil, $0.isMarked) }
        if isFailing { return retry() }
        if !isMarked { markAgain() }
        let cutoff = settings.keepSeconds.map { now - $0 * 1_000_000_000 }
        do throws(JournalError) {
            while !isStopping() {
                let (bounds, isDone) = try file.trim(
                    keepRows: settings.keepRows, publishedBefore: cutoff, slice: Int64(Self.slice))
                state.withLock { $0.bounds = bounds }
                if isDone { break }
            }
            try file.checkpoint()
        } catch {
            // Nothing is lost by it and it is tried again; a disk that is full is told of by the next `append`. But a
            // database that is damaged is replaced at once.
            guard error.kind == .damaged else { return }
            let isNews = state.withLock { state in
                defer { state.failure = error }
                return state.failure == nil
            }
            if isNews { tell(.failing(error)) }
        }
    }

    // MARK: After a failure

    /// Tries to write what waits in memory.
    private func retry() {
        var (file, epoch, failure) = state.withLock { ($0.file, $0.epoch, $0.failure) }
        do throws(JournalError) {
            if failure?.kind == .damaged {
                (file, epoch) = try replace(failure!)
            } else if !state.withLock(\.isBegun) {
                try file.begin(epoch)
                state.withLock { $0.isBegun = true }
            }
            while true {
                let waiting = state.withLock { state in
                    let slice = state.backlog.messages.prefix(Self.slice)
                    // Only here, where nothing waits, so that what comes next comes after it.
                    if slice.isEmpty { state.failure = nil }
                    return Array(slice)
                }
                guard let last = waiting.last?.sequence else { break }
                try file.append(waiting, epoch: epoch)
                state.withLock { $0.backlog.removeThrough(last) }
            }
        } catch {
            failure = error
            state.withLock { $0.failure = failure }
            return
        }
        markAgain()
        let lost = state.withLock { state in
            let lost = state.backlog.takeLost()
            state.lostCount += lost.map { $0.upperBound - $0.lowerBound + 1 } ?? 0
            return lost
        }
        tell(.recovered(lost: lost))
    }

    /// Says on disk that the database can be trusted, if it still can.
    private func markAgain() {
        state.withLock { state in
            guard state.failure == nil else { return }
            let certain = NumberingMark.writing(epoch: state.epoch.uuid, isDurable: settings.synchronous == .full)
            state.isMarked = (try? mark.write(certain)) != nil
        }
    }

    /// Puts a new database in the place of one that was found damaged while it was in use. The epoch goes on: its last
    /// number is known here.
    private func replace(_ error: JournalError) throws(JournalError) -> (JournalFile, Epoch) {
        let (old, uuid) = state.withLock { ($0.file, $0.epoch.uuid) }
        try? old.close()
        let kept = try JournalFile.setAside(old.path)
        let file = try JournalFile(path: old.path, synchronous: settings.synchronous)
        let epoch = Epoch(uuid: uuid, base: 0)
        try file.begin(epoch)
        state.withLock { state in
            state.file = file
            state.epoch = epoch
            state.isBegun = true
            state.bounds = nil
        }
        tell(.damaged(error, keptAs: kept))
        return (file, epoch)
    }

    // MARK: Reading

    /// Reads assignments by number.
    ///
    /// - Parameters:
    ///   - epoch: the numbering; nil is the newest.
    ///   - from: the first number wanted.
    ///   - limit: how many at most, at least 1.
    /// - Throws: `JournalError`, of the kind `unknownEpoch` where the journal has no such numbering.
    public func replay(epoch wanted: String?, from: UInt64, limit: Int) throws(JournalError) -> Replay {
        precondition(limit > 0, "a reply of no assignments says nothing")
        // The backlog before the database: what is written in between is then in both rather than in neither.
        let (file, current, last, backlog) = state.withLock { ($0.file, $0.epoch, $0.last, $0.backlog.messages) }
        if wanted == nil || wanted == current.uuid {
            return try replay(of: current, last: last, in: file, from: from, limit: limit, backlog: backlog)
        }
        var epochs = try file.epochs()
        if epochs.last?.uuid != current.uuid { epochs.append(current) }
        guard let index = epochs.firstIndex(where: { $0.uuid == wanted }), index + 1 < epochs.count else {
            throw JournalError(
                .unknownEpoch, operation: "replay from", path: file.path,
                reason: "it has no epoch \(wanted!.prefix(64)); numbers are given in \(current.uuid)")
        }
        let epoch = epochs[index]
        return try replay(
            of: epoch, last: epoch.sequence(epochs[index + 1].base), in: file, from: from, limit: limit, backlog: [])
    }

    private func replay(
        of epoch: Epoch, last: UInt64, in file: JournalFile, from: UInt64, limit: Int, backlog: [AssignmentMessage]
    ) throws(JournalError) -> Replay {
        let from = max(1, from)
        guard from <= last else { return Replay(epoch: epoch.uuid, from: from, first: from, messages: [], last: last) }
        var messages = try file.run(of: epoch, in: from...last, limit: limit, maximumBytes: Self.replayBytes)
        for message in backlog where messages.count < limit {
            let next = messages.last.map { $0.sequence + 1 } ?? max(from, message.sequence)
            if message.sequence == next { messages.append(message) }
        }
        return Replay(
            epoch: epoch.uuid, from: from, first: messages.first?.sequence ?? last + 1, messages: messages, last: last)
    }

    /// What is in the journal, and how it fares.
    public var status: JournalStatus {
        state.withLock { state in
            JournalStatus(
                epoch: state.epoch.uuid, last: state.last,
                rows: state.bounds.map { Int($0.upperBound - $0.lowerBound) + 1 } ?? 0,
                bytes: state.file.bytes, failure: state.failure, waiting: state.backlog.messages.count,
                lost: state.lostCount + (state.backlog.lost.map { $0.upperBound - $0.lowerBound + 1 } ?? 0))
        }
    }
}
