// All images below a folder, in an order that does not depend on the file system.
//
// A folder's own files come first, then its subfolders, each in natural order. Links to folders are followed, but last, and
// no folder is read twice: a loop of links ends, and a picture keeps the label of the folder that it really lies in. Names
// that begin with a dot are left out, as the shell does: thumbnails, version control, resource forks.

import Glibc
import StreamProtocol

/// What was found below a folder.
struct FolderScan {
    private(set) var folders: [FileSection.Folder] = []
    private(set) var idxFiles: [RawPath] = []
    /// Subfolders that could not be read.
    private(set) var unreadable: [DatasetError] = []

    private let labelled: Bool
    private var visited: Set<FileIdentity> = []
    private var links: [Place] = []

    /// A folder that is to be read.
    private struct Place {
        let path: RawPath
        let idPrefix: String
        let isRoot: Bool
    }

    struct Item {
        enum Kind {
            case file
            case folder(isLink: Bool)
            case other
        }

        let name: RawPath
        let kind: Kind
    }

    private struct FileIdentity: Hashable {
        let device: dev_t
        let inode: ino_t
    }

    /// Reads the names below `root`.
    ///
    /// - Parameters:
    ///   - idPrefix: stands before the path relative to `root` in an id.
    ///   - labelled: whether the name of the folder that holds a picture is its label.
    /// - Throws: `DatasetError` where `root` cannot be read.
    init(_ root: RawPath, idPrefix: String, labelled: Bool) throws(DatasetError) {
        self.labelled = labelled
        links = [Place(path: root, idPrefix: idPrefix, isRoot: true)]
        var next = 0
        while next < links.count {
            // A stack instead of recursion: the depth of a tree is not ours to choose.
            var stack = [links[next]]
            next += 1
            while let place = stack.popLast() {
                do throws(DatasetError) {
                    stack.append(contentsOf: try read(place).reversed())
                } catch {
                    if place.isRoot { throw error }
                    unreadable.append(error)
                }
            }
        }
    }

    /// Keeps a folder's own files and notes its links to folders.
    ///
    /// - Returns: its subfolders.
    private mutating func read(_ place: Place) throws(DatasetError) -> [Place] {
        guard let handle = place.path.withCString({ opendir($0) }) else {
            throw DatasetError(path: place.path, errorNumber: errno)
        }
        defer { closedir(handle) }
        var status = stat()
        guard fstat(dirfd(handle), &status) == 0 else { throw DatasetError(path: place.path, errorNumber: errno) }
        guard visited.insert(FileIdentity(device: status.st_dev, inode: status.st_ino)).inserted else { return [] }

        var images: [RawPath] = []
        var subfolders: [Place] = []
        for file in try Self.contents(handle, of: place.path) {
            let path = place.path.appending(file.name)
            switch file.kind {
            case .folder(let isLink):
                let subfolder = Place(path: path, idPrefix: place.idPrefix + file.name.description + "/", isRoot: false)
                if isLink { links.append(subfolder) } else { subfolders.append(subfolder) }
            case .file:
                switch ImageFormats.kind(name: file.name) {
                case .image: images.append(file.name)
                case .idx: idxFiles.append(path)
                case .unknown: break
                }
            case .other: break
            }
        }
        if !images.isEmpty {
            let label = labelled ? place.path.folderName.map { Label.text($0) } : nil
            folders.append(
                FileSection.Folder(path: place.path, idPrefix: place.idPrefix, label: label, names: images))
        }
        return subfolders
    }

    /// What is in a folder, in natural order: `readdir`.
    static func contents(_ handle: OpaquePointer, of path: RawPath) throws(DatasetError) -> [Item] {
        var items: [Item] = []
        errno = 0
        while let record = readdir(handle) {
            let name = withUnsafeBytes(of: &record.pointee.d_name) { bytes in
                RawPath(bytes: Array(bytes.prefix { $0 != 0 }))
            }
            if name.bytes.first != UInt8(ascii: ".") {
                items.append(Item(name: name, kind: kind(of: path.appending(name), type: record.pointee.d_type)))
            }
            errno = 0
        }
        guard errno == 0 else { throw DatasetError(path: path, errorNumber: errno) }
        return items.sorted { naturallyPrecedes($0.name.bytes, $1.name.bytes) }
    }

    /// The kind of a file; `stat` is asked only where `readdir` does not know.
    private static func kind(of path: RawPath, type: UInt8) -> Item.Kind {
        switch Int(type) {
        case DT_REG: return .file
        case DT_DIR: return .folder(isLink: false)
        case DT_LNK, DT_UNKNOWN:
            var status = stat()
            // A link that leads nowhere counts as a file, so that it is named when it is read.
            guard path.withCString({ stat($0, &status) }) == 0 else { return .file }
            switch status.st_mode & S_IFMT {
            case S_IFREG: return .file
            case S_IFDIR:
                _ = path.withCString { lstat($0, &status) }
                return .folder(isLink: status.st_mode & S_IFMT == S_IFLNK)
            default: return .other
            }
        default: return .other
        }
    }
}
