// The contents of a gzip file, through zlib (RFC 1952).

import CZlib
import Glibc

/// A gzip file that is read once, from its beginning to its end.
struct GzipFile: ~Copyable {
    /// The first bytes of every gzip file.
    static let signature: [UInt8] = [0x1F, 0x8B]
    /// Deflate packs at most this many bytes into one.
    static let highestRatio = 1032

    private let path: RawPath
    private let handle: gzFile

    /// Opens a file for reading: `gzdopen`.
    init(_ file: InputFile) throws(DatasetError) {
        path = file.path
        let descriptor = fcntl(file.descriptor, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0, lseek(descriptor, 0, SEEK_SET) == 0, let handle = gzdopen(descriptor, "rb") else {
            let failure = errno
            if descriptor >= 0 { Glibc.close(descriptor) }
            throw DatasetError(path: file.path, errorNumber: failure)
        }
        self.handle = handle
        gzbuffer(handle, 256 << 10)
    }

    deinit { gzclose_r(handle) }

    /// The next `count` bytes, fewer where the data ends before: `gzread`.
    mutating func read(count: Int) throws(DatasetError) -> [UInt8] {
        let handle = handle
        var hasFailed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let step = gzread(handle, buffer.baseAddress! + filled, UInt32(min(count - filled, 1 << 20)))
                hasFailed = step < 0
                if step <= 0 { return }
                filled += Int(step)
            }
        }
        if hasFailed { throw failure() }
        return bytes
    }

    /// Reads on behind the last byte wanted, so that zlib compares the checksum.
    mutating func checkEnd() throws(DatasetError) {
        _ = try read(count: 1)
        var code: Int32 = 0
        _ = gzerror(handle, &code)
        // gzread calls the end of a file within its data no error.
        if code == Z_BUF_ERROR { throw failure() }
    }

    private func failure() -> DatasetError {
        var code: Int32 = 0
        let message = gzerror(handle, &code).map { String(cString: $0) } ?? "no message"
        if code == Z_ERRNO { return DatasetError(path: path, errorNumber: errno) }
        return DatasetError(path: path.description, reason: .damaged(message))
    }
}
