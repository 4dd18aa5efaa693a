// A file that is being fetched, under a name of its own until it is whole.

import Checkpoints
import Glibc

/// The file of a fetch; closed with its last reference.
final class PartFile {
    private let path: String
    private var descriptor: Int32 = -1
    /// Bytes in it.
    private(set) var count = 0

    init(path: String) { self.path = path }

    deinit { close() }

    /// Opens the file; what is in it stays with `keeping` and goes through `digest`, and is let go of otherwise.
    func open(keeping: Bool, digest: inout SHA256) throws(ControlError) {
        close()
        count = 0
        let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (keeping ? 0 : O_TRUNC)
        descriptor = try check(Glibc.open(path, flags, 0o644))
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let got = try check(read(descriptor, &buffer, buffer.count))
            if got == 0 { return }
            digest.update(Array(buffer.prefix(got)))
            count += got
        }
    }

    /// Appends bytes: write(2).
    func append(_ bytes: [UInt8]) throws(ControlError) {
        switch OutputFile(descriptor: descriptor).write(bytes) {
        case .written: count += bytes.count
        case .readerGone: throw failure(EPIPE)
        case .failed(let number): throw failure(number)
        }
    }

    /// Gives the file its name, in the place of any that has it: fsync(2), rename(2).
    func commit(as name: String) throws(ControlError) {
        try check(fsync(descriptor))
        try check(rename(path, name))
        close()
    }

    /// Lets go of what has come: unlink(2).
    func remove() {
        close()
        unlink(path)
    }

    private func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    @discardableResult
    private func check<Result: BinaryInteger>(_ result: Result) throws(ControlError) -> Result {
        guard result >= 0 else { throw failure(errno) }
        return result
    }

    private func failure(_ number: Int32) -> ControlError {
        .file(path: path, reason: String(cString: strerror(number)))
    }
}
