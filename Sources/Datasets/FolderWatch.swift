// Images that come into folders, as long as somebody asks for them: inotify(7).
//
// Only whole files are taken: those that a program has closed after writing, that were moved or linked into a folder, and
// that lay there already and that nobody is writing. Whether somebody is, a lease tells (fcntl(2), F_SETLEASE), which the
// system grants for reading only where no writer has the file open. The kernel queues the event of a close before it
// counts the writer down, so each file is seen in one of the two ways, and in both only where it is told apart here: what
// waits to be sent is known by its path. Links to folders are not followed, names that begin with a dot are left out.

import Glibc
import StreamProtocol

/// Whole images as they come into folders; used by one thread.
public final class FolderWatch {
    private static let interest = UInt32(
        IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_MOVED_FROM | IN_DELETE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)

    private struct Folder {
        let path: RawPath
        let idPrefix: String
        let isRoot: Bool
    }

    private struct Item {
        let path: RawPath
        let id: String
    }

    private let descriptor: Int32
    private let cancellation: Int32?
    private let labelled: Bool
    private let roots: [Folder]
    private var folders: [Int32: Folder] = [:]
    private var waiting: [Item] = []
    private var nextItem = 0
    private var waitingPaths: Set<RawPath> = []
    private var problems: [DatasetError] = []
    /// When all events had been read the last time.
    private var lastUpToDate = timespec()

    /// Begins to watch.
    ///
    /// - Parameters:
    ///   - paths: the folders, with all below them.
    ///   - labelled: whether the name of the folder that holds an image is its label.
    ///   - skipsExisting: whether images that are there already are left out.
    ///   - cancellation: a descriptor that becomes readable when no further image is wanted.
    /// - Throws: `DatasetError` for a folder that cannot be read or watched.
    public init(
        _ paths: [String], labelled: Bool = false, skipsExisting: Bool = false, cancellation: Int32? = nil
    ) throws(DatasetError) {
        self.labelled = labelled
        self.cancellation = cancellation
        var roots: [Folder] = []
        for path in paths {
            let folder = try FileAddress.path(RawPath(path))
            let prefix = paths.count > 1 ? folder.folderName.map { $0 + "/" } : nil
            roots.append(Folder(path: folder, idPrefix: prefix ?? "", isRoot: true))
        }
        self.roots = roots
        descriptor = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        guard descriptor >= 0 else {
            throw DatasetError(path: roots.first?.path ?? RawPath("inotify"), errorNumber: errno)
        }
        clock_gettime(CLOCK_REALTIME, &lastUpToDate)
        for root in roots {
            try watch(root, listing: skipsExisting ? .nothing : .everything)
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// The next image, or an error in its place; nil when no further is wanted and when no folder is left. Waits for it.
    func next() -> Result<ImageEntry, DatasetError>? {
        while true {
            readEvents()
            if !problems.isEmpty { return .failure(problems.removeFirst()) }
            if let item = takeItem() {
                let file = FileSection.Folder(file: item.path, labelled: labelled)
                let section = FileSection([file])
                return Result { () throws(DatasetError) in
                    var entry = try section.entry(at: 0)
                    entry.id = item.id
                    return entry
                }
            }
            guard !folders.isEmpty, waitForEvents() else { return nil }
        }
    }

    private func takeItem() -> Item? {
        guard nextItem < waiting.count else {
            waiting = []
            nextItem = 0
            return nil
        }
        let item = waiting[nextItem]
        nextItem += 1
        waitingPaths.remove(item.path)
        return item
    }

    private func enqueue(_ name: RawPath, in folder: Folder) {
        let path = folder.path.appending(name)
        guard waitingPaths.insert(path).inserted else { return }
        waiting.append(Item(path: path, id: folder.idPrefix + name.description))
    }

    // MARK: Folders

    private enum Listing {
        case nothing
        case everything
        /// What was there when events were lost may have been seen: only files that have changed since.
        case changed(since: timespec)
    }

    /// Watches a folder and those below it, and enqueues the images in them.
    private func watch(_ folder: Folder, listing: Listing) throws(DatasetError) {
        var stack = [(folder, listing)]
        while let (folder, listing) = stack.popLast() {
            // The watch first: what comes while names are read makes an event.
            let number = folder.path.withCString { inotify_add_watch(descriptor, $0, Self.interest) }
            guard number >= 0 else {
                let error =
                    errno == ENOSPC
                    ? DatasetError(path: folder.path.description, reason: .tooManyWatches)
                    : DatasetError(path: folder.path, errorNumber: errno)
                if folder.isRoot { throw error }
                // One that has gone again is nothing to tell.
                if error.reason != .notFound { problems.append(error) }
                continue
            }
            let isKnown = folders.updateValue(folder, forKey: number)?.path == folder.path
            var listing = listing
            if isKnown {
                guard case .changed = listing else { continue }
            } else if case .changed = listing {
                listing = .everything
            }
            do throws(DatasetError) {
                stack += try list(folder, listing)
            } catch {
                if folder.isRoot { throw error }
                if error.reason != .notFound { problems.append(error) }
            }
        }
    }

    /// Enqueues a folder's images.
    ///
    /// - Returns: its subfolders.
    private func list(_ folder: Folder, _ listing: Listing) throws(DatasetError) -> [(Folder, Listing)] {
        guard let handle = folder.path.withCString({ opendir($0) }) else {
            throw DatasetError(path: folder.path, errorNumber: errno)
        }
        defer { closedir(handle) }
        var subfolders: [(Folder, Listing)] = []
        for item in try FolderScan.contents(handle, of: folder.path) {
            switch item.kind {
            case .folder(isLink: false): subfolders.append((subfolder(item.name, of: folder), listing))
            case .file where ImageFormats.kind(name: item.name) == .image:
                let path = folder.path.appending(item.name)
                let isWanted =
                    switch listing {
                    case .nothing: false
                    case .everything: true
                    case .changed(let since): Self.hasChanged(path, since: since)
                    }
                if isWanted, Self.isWhole(path, unknown: true) { enqueue(item.name, in: folder) }
            default: break
            }
        }
        return subfolders.reversed()
    }

    private func subfolder(_ name: RawPath, of folder: Folder) -> Folder {
        Folder(
            path: folder.path.appending(name), idPrefix: folder.idPrefix + name.description + "/", isRoot: false)
    }

    /// Lets go of a folder that has been moved away, and of those below it.
    private func forget(_ path: RawPath) {
        let below = path.appending(RawPath("x")).bytes.dropLast()
        for (number, folder) in folders where folder.path == path || folder.path.bytes.starts(with: below) {
            inotify_rm_watch(descriptor, number)
            folders[number] = nil
        }
    }

    // MARK: Events

    /// Waits for an event.
    ///
    /// - Returns: false where no further image is wanted.
    private func waitForEvents() -> Bool {
        var items = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        if let cancellation { items.append(pollfd(fd: cancellation, events: Int16(POLLIN), revents: 0)) }
        while poll(&items, nfds_t(items.count), -1) < 0, errno == EINTR {}
        return !items.dropFirst().contains { $0.revents != 0 }
    }

    /// Reads all events that there are.
    private func readEvents() {
        while true {
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            guard let bytes = readSome(descriptor), !bytes.isEmpty else {
                lastUpToDate = now
                return
            }
            // struct inotify_event: int wd; uint32_t mask, cookie, len; char name[len]
            var offset = 0
            while offset + 16 <= bytes.count {
                let (number, mask, length) = bytes.withUnsafeBytes { bytes in
                    (
                        bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self),
                        bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self),
                        Int(bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
                    )
                }
                let name = bytes[(offset + 16)..<(offset + 16 + length)].prefix { $0 != 0 }
                offset += 16 + length
                handle(number, mask, RawPath(bytes: Array(name)))
            }
        }
    }

    private func handle(_ number: Int32, _ mask: UInt32, _ name: RawPath) {
        func has(_ event: Int32) -> Bool { mask & UInt32(event) != 0 }
        if has(IN_Q_OVERFLOW) {
            recover()
            return
        }
        guard let folder = folders[number] else { return }
        if has(IN_IGNORED) {
            folders[number] = nil
            if folder.isRoot { problems.append(DatasetError(path: folder.path.description, reason: .notFound)) }
            return
        }
        guard !name.bytes.isEmpty, name.bytes[0] != UInt8(ascii: ".") else { return }
        if has(IN_ISDIR) {
            if has(IN_MOVED_FROM) { forget(folder.path.appending(name)) }
            guard has(IN_CREATE) || has(IN_MOVED_TO) else { return }
            do throws(DatasetError) {
                try watch(subfolder(name, of: folder), listing: .everything)
            } catch {
                problems.append(error)
            }
            return
        }
        guard ImageFormats.kind(name: name) == .image else { return }
        if has(IN_CLOSE_WRITE) || has(IN_MOVED_TO) {
            enqueue(name, in: folder)
        } else if has(IN_CREATE) {
            let path = folder.path.appending(name)
            if Self.isWhole(path, unknown: Self.isLinked(path)) { enqueue(name, in: folder) }
        }
    }

    /// Looks for what may have come while events were lost.
    private func recover() {
        var since = lastUpToDate
        // The kernel's clock for files is a few milliseconds behind.
        since.tv_sec -= 1
        for root in roots {
            problems.append(DatasetError(path: root.path.description, reason: .eventsLost))
            do throws(DatasetError) {
                try watch(root, listing: .changed(since: since))
            } catch {
                problems.append(error)
            }
        }
    }

    // MARK: Files

    private enum Writing {
        case underWay
        case done
        /// The file system or its rights do not tell.
        case unknown
    }

    /// Whether somebody has a file open for writing: a lease for reading is refused then (EAGAIN).
    private static func writing(_ path: RawPath) -> Writing {
        let file = path.withCString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard file >= 0 else { return .unknown }
        defer { close(file) }
        // Whoever opens it for writing in this moment makes a signal, SIGIO unless another is chosen, which would end
        // the process; this one is ignored.
        guard fcntl(file, setSignal, SIGURG) == 0 else { return .unknown }
        guard fcntl(file, setLease, F_RDLCK) == 0 else { return errno == EAGAIN ? .underWay : .unknown }
        _ = fcntl(file, setLease, F_UNLCK)
        return .done
    }

    /// Whether a file that has a name is whole: there is something in it, and nobody is writing it. One that a program is
    /// about to open has its name before its writer is counted, but it is empty then, and the event of its close will come.
    ///
    /// - Parameter unknown: what is taken for true where the system does not tell of writers.
    private static func isWhole(_ path: RawPath, unknown: Bool) -> Bool {
        var status = stat()
        guard path.withCString({ stat($0, &status) }) == 0, status.st_size > 0 else { return false }
        switch writing(path) {
        case .done: return true
        case .underWay: return false
        case .unknown: return unknown
        }
    }

    /// Whether a file has another name, or is a link itself: it was not created just now, but linked.
    private static func isLinked(_ path: RawPath) -> Bool {
        var status = stat()
        guard path.withCString({ lstat($0, &status) }) == 0 else { return false }
        return status.st_mode & S_IFMT == S_IFLNK || status.st_nlink > 1
    }

    private static func hasChanged(_ path: RawPath, since: timespec) -> Bool {
        var status = stat()
        guard path.withCString({ stat($0, &status) }) == 0 else { return false }
        let changed = status.st_ctim
        return (changed.tv_sec, changed.tv_nsec) >= (since.tv_sec, since.tv_nsec)
    }

    // fcntl-linux.h has them for GNU sources, as expressions that Swift does not import.
    private static let setLease: Int32 = 1024
    private static let setSignal: Int32 = 10
}
