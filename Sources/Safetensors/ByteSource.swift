// The bytes of a safetensors file, on disk or in memory.
//
// A file is not mapped: one that is truncated while it is read gives an error here, and would be a SIGBUS there.

import Glibc

/// Bytes that can be read at any place; a file's descriptor is closed with the last reference.
final class ByteSource: Sendable {
    private enum Storage: Sendable {
        case file(descriptor: Int32)
        case memory([UInt8])
    }

    /// The file's path, where there is a file.
    let path: String?
    /// How many bytes there are.
    let size: Int
    /// When the file was last changed, in nanoseconds since 1970; 0 for bytes in memory.
    let modificationTime: UInt64
    private let storage: Storage

    /// Opens a file: open(2), fstat(2).
    init(path: String) throws(SafetensorsError) {
        // O_NONBLOCK: opening a pipe would wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system("open", path: path) }
        var status = stat()
        let isKnown = fstat(descriptor, &status) == 0
        guard isKnown, status.st_mode & S_IFMT == S_IFREG else {
            let error: SafetensorsError =
                isKnown ? .malformed("not a regular file", path: path) : .system("examine", path: path)
            close(descriptor)
            throw error
        }
        self.path = path
        size = Int(status.st_size)
        modificationTime = status.modificationTime
        storage = .file(descriptor: descriptor)
    }

    /// Takes bytes that are in memory.
    init(bytes: [UInt8]) {
        path = nil
        size = bytes.count
        modificationTime = 0
        storage = .memory(bytes)
    }

    deinit {
        if case .file(let descriptor) = storage { close(descriptor) }
    }

    /// `count` elements as they lie from byte `offset` on; they end at byte `size` or before.
    func array<T: BitwiseCopyable>(of type: T.Type, count: Int, at offset: Int) throws(SafetensorsError) -> [T] {
        var failure: SafetensorsError?
        let values = [T](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            let bytes = UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            failure = fill(bytes, at: offset)
            initializedCount = failure == nil ? count : 0
        }
        if let failure { throw failure }
        return values
    }

    /// pread(2), again for as long as it gives a part.
    private func fill(_ target: UnsafeMutableRawBufferPointer, at offset: Int) -> SafetensorsError? {
        switch storage {
        case .memory(let bytes):
            bytes[offset..<offset + target.count].withUnsafeBytes { target.copyMemory(from: $0) }
        case .file(let descriptor):
            var done = 0
            while done < target.count {
                let count = pread(descriptor, target.baseAddress! + done, target.count - done, off_t(offset + done))
                if count < 0, errno == EINTR { continue }
                if count < 0 { return .system("read", path: path) }
                if count == 0 { return .malformed("the file became shorter while it was read", path: path) }
                done += count
            }
        }
        return nil
    }
}

extension stat {
    /// When the file was last changed, in nanoseconds since 1970.
    package var modificationTime: UInt64 {
        UInt64(max(0, st_mtim.tv_sec)) * 1_000_000_000 + UInt64(st_mtim.tv_nsec)
    }
}
