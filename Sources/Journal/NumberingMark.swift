// What is certain about the last number given, kept beside the database for the case that the database cannot say.
//
// The database alone knows the last number that it holds, not the last that was published: the two differ when the
// journal could not be written, or when the machine lost power before the disk had the newest rows. A number must never be
// given twice within an epoch, so whoever opens the journal goes on numbering only where this mark says that it may.
//
// The file is one line, written in place. Emptying it needs no room on a full disk, which is the moment it is needed; a
// line that is torn or missing says that nothing is certain. Its lock keeps a second daemon out.

import Glibc

/// The mark of one journal, locked for as long as this value lives.
final class NumberingMark: Sendable {
    /// What the mark says.
    enum State: Sendable, Equatable {
        /// The journal was closed: `last` is the last number given in `epoch`, and on disk.
        case closed(epoch: String, last: UInt64)
        /// What is published is in the database; and on disk if that matters, or as long as the machine has not been
        /// started since `boot`.
        case writing(epoch: String, boot: String?)
        /// Numbers may have been given that the database does not hold.
        case uncertain
    }

    /// The file.
    let path: String
    /// What the mark said when it was opened; nil where there was none.
    let found: State?
    private let descriptor: Int32

    /// Opens the file, made where it is missing, and locks it: open(2), flock(2).
    ///
    /// - Throws: `JournalError`, of the kind `inUse` where another journal has it.
    init(path: String) throws(JournalError) {
        self.path = path
        var status = stat()
        let isNew = stat(path, &status) != 0
        let descriptor = try call("open", path) { open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }
        let text = Self.read(descriptor)
        do throws(JournalError) {
            try call("lock", path) { flock(descriptor, LOCK_EX | LOCK_NB) }
        } catch {
            close(descriptor)
            guard error.kind == .system(EWOULDBLOCK) else { throw error }
            let holder =
                text.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) }.map { "\($0)" } ?? "another"
            throw JournalError(
                .inUse, operation: "use", path: path, reason: "process \(holder) keeps its journal there",
                hint: "stop it, or choose another folder")
        }
        self.descriptor = descriptor
        found = isNew ? nil : State(Self.read(descriptor))
    }

    deinit { close(descriptor) }

    /// Lets another have the journal: flock(2). Harmless at any time.
    func unlock() { flock(descriptor, LOCK_UN) }

    /// Says what is certain from now on, and brings it to disk: pwrite(2), fdatasync(2).
    func write(_ state: State) throws(JournalError) {
        let text = state.text
        try call("empty", path) { ftruncate(descriptor, 0) }
        if !text.isEmpty {
            let count = try call("write", path) { pwrite(descriptor, text, text.utf8.count, 0) }
            guard count == text.utf8.count else { throw .system("write", path, code: ENOSPC) }
        }
        try call("synchronize", path) { fdatasync(descriptor) }
    }

    private static func read(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    /// The state of a journal that is about to be written.
    ///
    /// - Parameter isDurable: whether a transaction is on disk before it is published.
    static func writing(epoch: String, isDurable: Bool) -> State {
        isDurable ? .writing(epoch: epoch, boot: nil) : boot().map { .writing(epoch: epoch, boot: $0) } ?? .uncertain
    }

    /// Identifies the time since the machine was started: random(4), `boot_id`.
    static func boot() -> String? {
        let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let text = read(descriptor).filter { !$0.isWhitespace }
        return text.isEmpty ? nil : text
    }
}

extension NumberingMark.State {
    /// `closed EPOCH LAST PID` or `writing EPOCH BOOT PID`, and a newline.
    fileprivate init(_ text: String) {
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        self = .uncertain
        guard words.count == 4, text.hasSuffix("\n") else { return }
        switch words[0] {
        case "closed": if let last = UInt64(words[2]) { self = .closed(epoch: words[1], last: last) }
        case "writing": self = .writing(epoch: words[1], boot: words[2] == Self.durable ? nil : words[2])
        default: break
        }
    }

    /// The word in the place of a boot where every transaction reaches the disk before it is published.
    private static let durable = "durable"

    fileprivate var text: String {
        switch self {
        case .closed(let epoch, let last): "closed \(epoch) \(last) \(getpid())\n"
        case .writing(let epoch, let boot): "writing \(epoch) \(boot ?? Self.durable) \(getpid())\n"
        case .uncertain: ""
        }
    }

    /// Why numbering cannot go on after `last` in `epoch`, the newest of the database; nil where it can.
    func doubt(epoch: String, last: UInt64, boot: String?) -> String? {
        let other = "the journal is not the one that was in use last"
        switch self {
        case .closed(epoch, last): return nil
        case .closed: return other
        case .writing(epoch, nil): return nil
        case .writing(epoch, let then?):
            return then == boot ? nil : "the machine stopped before the newest assignments were certain to be on disk"
        case .writing: return other
        case .uncertain: return "assignments were published while the journal could not be written"
        }
    }
}
