// A file on its way to being whole: written under a name that nobody reads, then renamed.
//
// rename(2) replaces what had the name before in one step, so a reader, or a machine that stops, finds the old file or the
// new one. The data must be on disk before the name is, hence fsync(2) before, and of the folder after.

import Glibc
import Safetensors

/// A file that becomes visible with `commit` and vanishes without it.
struct PartialFile: ~Copyable {
    private let folder: Folder
    private let name: CheckpointName
    private let descriptor: Int32
    private var isVisible = false

    private init(folder: Folder, name: CheckpointName, descriptor: Int32) {
        self.folder = folder
        self.name = name
        self.descriptor = descriptor
    }

    /// Starts the file that will be called `name`.
    static func create(_ name: CheckpointName, in folder: Folder) throws(CheckpointError) -> PartialFile {
        let path = folder.path(of: name.partialFile)
        let descriptor = try call("create", path) {
            open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        }
        return PartialFile(folder: folder, name: name, descriptor: descriptor)
    }

    deinit {
        close(descriptor)
        if !isVisible { unlink(folder.path(of: name.partialFile)) }
    }

    /// Appends bytes: write(2), again for as long as it takes a part.
    func write(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = try call("write", folder.path(of: name.file)) {
                Glibc.write(descriptor, rest.baseAddress, rest.count)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Makes the file last and gives it its name.
    ///
    /// - Returns: when it was last changed, in nanoseconds since 1970.
    mutating func commit() throws(CheckpointError) -> UInt64 {
        let path = folder.path(of: name.file)
        try call("synchronize", path) { fsync(descriptor) }
        var status = stat()
        try call("examine", path) { fstat(descriptor, &status) }
        try call("rename", path) { rename(folder.path(of: name.partialFile), path) }
        isVisible = true
        try folder.synchronize()
        return status.modificationTime
    }
}
