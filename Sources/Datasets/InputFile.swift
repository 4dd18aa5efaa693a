// A regular file, open for reading. Pipes and devices are refused: opening one could wait for ever.

import Glibc

/// An open regular file, closed with its last reference; thread-safe, since nothing moves its offset but `duplicate`'s user.
final class InputFile: Sendable {
    let path: RawPath
    /// Bytes when it was opened.
    let size: Int
    let descriptor: Int32

    init(_ path: RawPath) throws(DatasetError) {
        self.path = path
        // O_NONBLOCK: opening a pipe would wait for its writer before it could be told that it is one.
        descriptor = path.withCString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else {
            size = 0
            throw DatasetError(path: path, errorNumber: errno)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            size = 0
            throw DatasetError(path: path, errorNumber: errno)
        }
        size = Int(status.st_size)
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw DatasetError(path: path.description, reason: .isFolder)
        default: throw DatasetError(path: path.description, reason: .notAFile)
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Up to `count` bytes from `offset`, fewer only at the end of the file: `pread`.
    func read(at offset: Int, count: Int) throws(DatasetError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let step = pread(descriptor, buffer.baseAddress! + filled, count - filled, off_t(offset + filled))
                if step < 0, errno == EINTR { continue }
                if step < 0 { failure = errno }
                if step <= 0 { return }
                filled += step
            }
        }
        guard failure == 0 else { throw DatasetError(path: path, errorNumber: failure) }
        return bytes
    }

    /// The largest image file that is read.
    static let largestImage = 256 << 20

    /// The bytes of an image file.
    static func contents(of path: RawPath) throws(DatasetError) -> [UInt8] {
        let file = try InputFile(path)
        guard file.size <= largestImage else {
            throw DatasetError(path: path.description, reason: .tooLarge(bytes: file.size, limit: largestImage))
        }
        return try file.read(at: 0, count: file.size)
    }
}
