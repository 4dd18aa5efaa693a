// A file of the store, open for reading: what is handed out piece by piece, whether it is whole or not.

import Glibc
import Safetensors

/// A checkpoint's file as bytes. It stays the same file when another takes its name.
struct StoredFile: ~Copyable {
    /// The size in bytes.
    let size: Int
    /// When it was last changed, in nanoseconds since 1970.
    let modificationTime: UInt64
    private let path: String
    private let descriptor: Int32

    private init(path: String, descriptor: Int32, status: stat) {
        self.path = path
        self.descriptor = descriptor
        (size, modificationTime) = (Int(status.st_size), status.modificationTime)
    }

    /// Opens a file: open(2), fstat(2).
    static func open(_ path: String) throws(CheckpointError) -> StoredFile {
        // O_NONBLOCK: opening a pipe would wait for its writer.
        let descriptor = try call("open", path) { Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .damaged(path, "not a regular file")
        }
        return StoredFile(path: path, descriptor: descriptor, status: status)
    }

    deinit { close(descriptor) }

    /// Up to `count` bytes from `offset` on; fewer only at the end: pread(2).
    func read(at offset: Int, count: Int) throws(CheckpointError) -> [UInt8] {
        var failure: CheckpointError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(CheckpointError) {
                while filled < count {
                    let got = try call("read", path) {
                        pread(descriptor, buffer.baseAddress! + filled, count - filled, off_t(offset + filled))
                    }
                    if got == 0 { break }
                    filled += got
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// The SHA-256 of the file in hexadecimal digits.
    func sha256() throws(CheckpointError) -> String {
        var digest = SHA256()
        var offset = 0
        while true {
            let bytes = try read(at: offset, count: 1 << 20)
            if bytes.isEmpty { return digest.hexadecimal() }
            digest.update(bytes)
            offset += bytes.count
        }
    }
}
