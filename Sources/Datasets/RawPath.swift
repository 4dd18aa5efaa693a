// A path as the file system has it: bytes. Old archives hold names that are not UTF-8, which a String would change.

import Glibc

/// A path or file name in bytes, without a terminating zero.
struct RawPath: Sendable, Hashable, CustomStringConvertible {
    let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    init(_ text: String) { bytes = Array(text.utf8) }

    /// The path for people and messages; bytes that are not UTF-8 become U+FFFD.
    var description: String { String(decoding: bytes, as: UTF8.self) }

    func appending(_ name: RawPath) -> RawPath {
        guard let last = bytes.last else { return name }
        return RawPath(bytes: last == slash ? bytes + name.bytes : bytes + [slash] + name.bytes)
    }

    /// What stands after the last slash, other than a trailing one.
    var lastComponent: RawPath {
        let end = bytes.lastIndex { $0 != slash }.map { $0 + 1 } ?? 0
        let start = bytes[..<end].lastIndex(of: slash).map { $0 + 1 } ?? 0
        return RawPath(bytes: Array(bytes[start..<end]))
    }

    /// What stands before the last component, nothing for a bare name.
    var parent: RawPath {
        let end = bytes.lastIndex { $0 != slash }.map { $0 + 1 } ?? 0
        guard let cut = bytes[..<end].lastIndex(of: slash) else { return RawPath("") }
        return RawPath(bytes: cut == 0 ? [slash] : Array(bytes[..<cut]))
    }

    /// The name of a folder: its last component, or where that says nothing (``, `.`, `..`) that of its real path.
    var folderName: String? {
        let name = lastComponent
        if !name.bytes.isEmpty, name.bytes != [dot], name.bytes != [dot, dot] { return name.description }
        let path = bytes.isEmpty ? RawPath(".") : self
        guard let real = path.withCString({ realpath($0, nil) }) else { return nil }
        defer { free(real) }
        let resolved = RawPath(String(cString: real)).lastComponent
        return resolved.bytes.isEmpty ? nil : resolved.description
    }

    /// Whether the name ends in `suffix`, whatever the case of its ASCII letters; `suffix` is in lower case.
    func hasSuffix(_ suffix: String) -> Bool {
        bytes.count >= suffix.utf8.count
            && bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) { lowercased($0) == $1 }
    }

    func withCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
        try (bytes + [0]).withUnsafeBufferPointer { buffer in
            try buffer.withMemoryRebound(to: CChar.self) { try body($0.baseAddress!) }
        }
    }
}

private let slash = UInt8(ascii: "/")
private let dot = UInt8(ascii: ".")

private func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}
