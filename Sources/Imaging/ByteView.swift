// Reading numbers from untrusted bytes: nothing outside the bytes is ever read, and what is not there is nil.

/// A range of bytes that can be read at any offset.
struct ByteView {
    /// The bytes; they must outlive the view.
    let bytes: UnsafeBufferPointer<UInt8>

    var count: Int { bytes.count }

    subscript(_ at: Int) -> UInt8? { at >= 0 && at < bytes.count ? bytes[at] : nil }

    /// The unsigned integer of `size` bytes at `at`.
    func integer(at: Int, size: Int, bigEndian: Bool = true) -> Int? {
        guard at >= 0, size <= count, at <= count - size else { return nil }
        return (0..<size).reduce(0) { $0 << 8 | Int(bytes[at + (bigEndian ? $1 : size - 1 - $1)]) }
    }

    /// Whether the bytes at `at` are those of `text`.
    func holds(_ text: StaticString, at: Int = 0) -> Bool {
        let size = text.utf8CodeUnitCount
        guard at >= 0, size <= count, at <= count - size else { return false }
        return (0..<size).allSatisfy { bytes[at + $0] == text.utf8Start[$0] }
    }

    /// The part of `range` that exists.
    func slice(_ range: Range<Int>) -> ByteView {
        ByteView(bytes: UnsafeBufferPointer(rebasing: bytes[range.clamped(to: 0..<count)]))
    }
}
