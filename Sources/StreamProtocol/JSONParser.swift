// Bytes to JSON values: RFC 8259, and of what lies beyond it only the NaN, Infinity and -Infinity that Python writes.
//
// The bytes come from strangers: every index is checked by the array, nesting is bounded, and the time is linear in the
// number of bytes. Text must be UTF-8.

/// Why bytes are not JSON, and where.
package struct JSONSyntaxError: Error, Equatable, CustomStringConvertible {
    /// What is wrong.
    package let reason: String
    /// The index of the byte at which it was seen.
    package let offset: Int

    /// One line for a log.
    package var description: String { "\(reason) at byte \(offset)" }
}

extension JSON {
    /// How deep arrays and objects may be nested.
    package static let maximumDepth = 64

    /// Parses one value that takes up all of `bytes`, save for white space around it.
    ///
    /// - Throws: `JSONSyntaxError`.
    package init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.parseDocument()
    }
}

/// A recursive-descent parser over one document.
private struct JSONParser {
    private let bytes: [UInt8]
    private var index = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func parseDocument() throws(JSONSyntaxError) -> JSON {
        let value = try parseValue(depth: 0)
        skipWhitespace()
        guard index == bytes.count else { throw failure("unexpected text after the value") }
        return value
    }

    private func failure(_ reason: String) -> JSONSyntaxError { JSONSyntaxError(reason: reason, offset: index) }

    /// The byte at `index`; nil at the end.
    private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipWhitespace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    /// Skips white space, then takes `byte` if it is there.
    private mutating func take(_ byte: UInt8) -> Bool {
        skipWhitespace()
        guard current == byte else { return false }
        index += 1
        return true
    }

    private mutating func parseValue(depth: Int) throws(JSONSyntaxError) -> JSON {
        skipWhitespace()
        guard let byte = current else { throw failure("unexpected end") }
        switch byte {
        case UInt8(ascii: "{"): return .object(try parseObject(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try parseArray(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parseWord("true", as: .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", as: .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", as: .null)
        case UInt8(ascii: "N"): return try parseWord("NaN", as: .number(.nan))
        case UInt8(ascii: "I"): return try parseWord("Infinity", as: .number(.infinity))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
        default: throw failure("unexpected character")
        }
    }

    private mutating func parseWord(_ word: StaticString, as value: JSON) throws(JSONSyntaxError) -> JSON {
        for offset in 0..<word.utf8CodeUnitCount {
            guard current == word.utf8Start[offset] else { throw failure("unknown word") }
            index += 1
        }
        return value
    }

    private mutating func parseObject(depth: Int) throws(JSONSyntaxError) -> [String: JSON] {
        guard depth <= JSON.maximumDepth else { throw failure("nested too deep") }
        index += 1
        var members: [String: JSON] = [:]
        if take(UInt8(ascii: "}")) { return members }
        while true {
            skipWhitespace()
            guard current == UInt8(ascii: "\"") else { throw failure("expected a key") }
            let key = try parseString()
            guard take(UInt8(ascii: ":")) else { throw failure("expected a colon") }
            members[key] = try parseValue(depth: depth)
            if take(UInt8(ascii: ",")) { continue }
            guard take(UInt8(ascii: "}")) else { throw failure("expected a comma or the object's end") }
            return members
        }
    }

    private mutating func parseArray(depth: Int) throws(JSONSyntaxError) -> [JSON] {
        guard depth <= JSON.maximumDepth else { throw failure("nested too deep") }
        index += 1
        var elements: [JSON] = []
        if take(UInt8(ascii: "]")) { return elements }
        while true {
            elements.append(try parseValue(depth: depth))
            if take(UInt8(ascii: ",")) { continue }
            guard take(UInt8(ascii: "]")) else { throw failure("expected a comma or the array's end") }
            return elements
        }
    }
}

// Numbers.
extension JSONParser {
    private mutating func parseNumber() throws(JSONSyntaxError) -> JSON {
        let start = index
        let isNegative = current == UInt8(ascii: "-")
        if isNegative { index += 1 }
        if isNegative, current == UInt8(ascii: "I") { return try parseWord("Infinity", as: .number(-.infinity)) }
        let firstDigit = index
        guard let magnitude = try parseDigits() else { throw failure("number out of range") }
        guard bytes[firstDigit] != UInt8(ascii: "0") || index == firstDigit + 1 else {
            throw failure("a number does not begin with 0")
        }
        var isInteger = true
        if current == UInt8(ascii: ".") {
            isInteger = false
            index += 1
            _ = try parseDigits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isInteger = false
            index += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { index += 1 }
            _ = try parseDigits()
        }
        if isInteger, !magnitude.overflows {
            let value = isNegative ? -Int128(magnitude.value) : Int128(magnitude.value)
            if value >= Int128(Int64.min) { return .integer(value) }
        }
        // What the grammar above lets through, Double reads; beyond its range it gives an infinity, as Python does.
        guard let value = Double(String(decoding: bytes[start..<index], as: UTF8.self)) else {
            throw failure("number out of range")
        }
        return .number(value)
    }

    /// Reads one digit or more.
    private mutating func parseDigits() throws(JSONSyntaxError) -> (value: UInt64, overflows: Bool)? {
        let start = index
        var value: UInt64 = 0
        var overflows = false
        while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
            let (tens, tensOverflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflow) = tens.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            overflows = overflows || tensOverflow || sumOverflow
            value = sum
            index += 1
        }
        guard index > start else { throw failure("expected a digit") }
        return (value, overflows)
    }
}

// Strings.
extension JSONParser {
    private mutating func parseString() throws(JSONSyntaxError) -> String {
        index += 1
        let start = index
        try skipPlainText()
        if current == UInt8(ascii: "\"") {
            defer { index += 1 }
            return try text(bytes[start..<index], start: start)
        }
        // There is an escape: from here on the text differs from the bytes.
        var unescaped = Array(bytes[start..<index])
        while current != UInt8(ascii: "\"") {
            try parseEscape(into: &unescaped)
            let plain = index
            try skipPlainText()
            unescaped.append(contentsOf: bytes[plain..<index])
        }
        index += 1
        return try text(unescaped[...], start: start)
    }

    /// Moves to the next quote or backslash.
    private mutating func skipPlainText() throws(JSONSyntaxError) {
        while let byte = current {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return }
            guard byte >= 0x20 else { throw failure("control character in a string") }
            index += 1
        }
        throw failure("unterminated string")
    }

    private func text(_ utf8: ArraySlice<UInt8>, start: Int) throws(JSONSyntaxError) -> String {
        guard let text = String(validating: utf8, as: UTF8.self) else {
            throw JSONSyntaxError(reason: "string that is not UTF-8", offset: start)
        }
        return text
    }

    private mutating func parseEscape(into text: inout [UInt8]) throws(JSONSyntaxError) {
        index += 1
        guard let byte = current else { throw failure("unterminated string") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(Character(try parseUnicodeEscape())).utf8)
        default: throw failure("unknown escape")
        }
    }

    /// Reads what follows `\u`: a scalar, or a surrogate and the escape of its partner. A surrogate without a partner,
    /// which Python and JavaScript write for broken text, is U+FFFD.
    private mutating func parseUnicodeEscape() throws(JSONSyntaxError) -> Unicode.Scalar {
        let replacement: Unicode.Scalar = "\u{FFFD}"
        let unit = try parseHexadecimal()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard UTF16.isLeadSurrogate(unit), current == UInt8(ascii: "\\"), index + 1 < bytes.count,
            bytes[index + 1] == UInt8(ascii: "u")
        else { return replacement }
        let partnerStart = index
        index += 2
        let partner = try parseHexadecimal()
        guard UTF16.isTrailSurrogate(partner) else {
            index = partnerStart
            return replacement
        }
        let offset = (UInt32(unit) & 0x3FF) << 10 | UInt32(partner) & 0x3FF
        return Unicode.Scalar(0x1_0000 + offset) ?? replacement
    }

    private mutating func parseHexadecimal() throws(JSONSyntaxError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure("expected four hexadecimal digits")
            }
            value = value << 4 | UInt16(digit)
            index += 1
        }
        return value
    }
}
