// The folder that holds checkpoints: made where it is missing, listed, locked, and written to so that a file in it is
// whole or absent whenever the machine stops.

import Glibc

/// A folder that is this store's alone for as long as this value lives.
final class Folder: Sendable {
    /// The path as it was given.
    let path: String
    private let lock: Int32

    /// Makes the folder where it is missing and locks it: mkdir(2), flock(2).
    ///
    /// The lock is on a file in it that stays; the system lets go of a lock when its holder ends in whatever way.
    init(path: String) throws(CheckpointError) {
        self.path = path
        try Self.make(path)
        let file = path + "/.lock"
        let descriptor = try call("open", file) { open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }
        do throws(CheckpointError) {
            try call("lock", file) { flock(descriptor, LOCK_EX | LOCK_NB) }
        } catch {
            let holder = Self.holder(of: descriptor)
            close(descriptor)
            guard error.kind == .system(EWOULDBLOCK) else { throw error }
            throw CheckpointError(
                .inUse, operation: "use", path: path, reason: "process \(holder) keeps its checkpoints there",
                hint: "stop it, or choose another folder")
        }
        // For whoever finds the folder locked; the lock holds without it.
        let text = "\(getpid())\n"
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.utf8.count, 0) }
        lock = descriptor
    }

    deinit { close(lock) }

    private static func make(_ path: String) throws(CheckpointError) {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return }
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex { try make(String(path[..<slash])) }
        do {
            try call("create", path) { mkdir(path, 0o755) }
        } catch {
            // Somebody else may have made it; a file in its place is found when the lock is opened.
            guard error.kind == .system(EEXIST) else { throw error }
        }
    }

    /// What the holder of the lock wrote into it.
    private static func holder(of lock: Int32) -> String {
        var text = [UInt8](repeating: 0, count: 20)
        let count = pread(lock, &text, text.count, 0)
        let digits = text.prefix(max(0, count)).prefix { (0x30...0x39).contains($0) }
        return digits.isEmpty ? "another" : String(decoding: digits, as: UTF8.self)
    }

    /// The names of all that is in the folder: readdir(3).
    func names() throws(CheckpointError) -> [String] {
        guard let stream = opendir(path) else { throw .system("list", path, code: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw .system("list", path, code: errno) }
                return names
            }
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
    }

    /// The path of the file called `name`.
    func path(of name: String) -> String { path + "/" + name }

    /// Removes a file; that it is gone already is no error: unlink(2).
    func remove(_ name: String) throws(CheckpointError) {
        let file = path(of: name)
        do {
            try call("remove", file) { unlink(file) }
        } catch {
            guard error.kind == .system(ENOENT) else { throw error }
        }
    }

    /// Makes names that have come or gone last: fsync(2) of the folder.
    func synchronize() throws(CheckpointError) {
        let descriptor = try call("open", path) { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        defer { close(descriptor) }
        try call("synchronize", path) { fsync(descriptor) }
    }
}
