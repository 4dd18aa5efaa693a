// Addresses of files, `file:///home/me/a%20cat.jpg` (RFC 8089), as crawlers and file managers write them.

enum FileAddress {
    /// Whether `text` begins as an address does: `scheme://` (RFC 3986).
    static func hasScheme(_ text: String) -> Bool {
        guard let colon = text.firstRange(of: "://") else { return false }
        let scheme = text[..<colon.lowerBound].utf8
        guard let first = scheme.first, isLetter(first) else { return false }
        return scheme.allSatisfy { isLetter($0) || (48...57).contains($0) || [43, 45, 46].contains($0) }
    }

    /// Whether `text` is the address of a file, of whatever machine.
    static func isFile(_ text: String) -> Bool { text.lowercased().hasPrefix("file://") }

    /// The path that `written` stands for: a path as it is, or the one in an address.
    ///
    /// - Throws: `notLocal` for the address of anything that is not a file of this machine.
    static func path(_ written: RawPath) throws(DatasetError) -> RawPath {
        let text = written.description
        guard hasScheme(text) else { return written }
        let refusal = DatasetError(path: text, reason: .notLocal)
        guard isFile(text) else { throw refusal }
        let rest = written.bytes.dropFirst("file://".utf8.count)
        guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else { throw refusal }
        let host = String(decoding: rest[..<slash], as: UTF8.self)
        guard host.isEmpty || host.lowercased() == "localhost", let bytes = decoded(rest[slash...]) else {
            throw refusal
        }
        return RawPath(bytes: bytes)
    }

    /// The bytes with `%41` replaced; nil where digits are missing or a zero byte is among them.
    private static func decoded(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit),
                high + low > 0
            else { return nil }
            result.append(high << 4 | low)
        }
        return result
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map { UInt8($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte | 0x20) }
}
