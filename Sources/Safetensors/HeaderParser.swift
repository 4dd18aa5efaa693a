// The JSON of a safetensors header: an object of objects of strings, unsigned integers and arrays of those.
//
// A parser of its own because a general one hides what decides here: JSONSerialization keeps one of two equal keys without
// a word, and turns large integers into floating point. This one has no recursion, so no nesting can exhaust the stack.

/// A reader of the JSON that a header may hold; each function consumes what it names or throws.
struct HeaderParser: ~Copyable {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// An object, whose members `member` reads: it is given a key that has not come before in this object.
    mutating func object(_ member: (inout HeaderParser, String) throws(SafetensorsError) -> Void)
        throws(SafetensorsError)
    {
        try expect("{")
        var keys: Set<String> = []
        if consume("}") { return }
        repeat {
            let key = try string()
            guard keys.insert(key).inserted else { throw fault("the key \"\(key)\" comes twice") }
            try expect(":")
            try member(&self, key)
        } while consume(",")
        try expect("}")
    }

    /// An array of unsigned integers.
    mutating func integers() throws(SafetensorsError) -> [Int] {
        try expect("[")
        var values: [Int] = []
        if consume("]") { return values }
        repeat { values.append(try integer()) } while consume(",")
        try expect("]")
        return values
    }

    /// An unsigned integer that fits Int.
    mutating func integer() throws(SafetensorsError) -> Int {
        skipSpace()
        let start = position
        var value = 0
        while position < bytes.count, case let digit = Int(bytes[position]) - 0x30, (0...9).contains(digit) {
            let (tens, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = tens.addingReportingOverflow(digit)
            guard !tooLarge, !overflow else { throw fault("a number is too large") }
            value = sum
            position += 1
        }
        guard position > start, position == start + 1 || bytes[start] != 0x30 else {
            throw fault("expected a whole number that is not negative")
        }
        return value
    }

    /// A string, its escapes resolved.
    mutating func string() throws(SafetensorsError) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while true {
            let run = bytes[position...].prefix { $0 != 0x22 && $0 != 0x5C && $0 >= 0x20 }
            text += run
            position = run.endIndex
            guard position < bytes.count, bytes[position] >= 0x20 else { throw fault("a string does not end") }
            position += 1
            if bytes[position - 1] == 0x22 { break }
            text += try String(escape()).utf8
        }
        guard let string = String(validating: text, as: UTF8.self) else { throw fault("a string is not UTF-8") }
        return string
    }

    /// Nothing but white space up to the end.
    mutating func end() throws(SafetensorsError) {
        skipSpace()
        guard position == bytes.count else { throw fault("expected the end of the header") }
    }

    private mutating func escape() throws(SafetensorsError) -> Character {
        guard position < bytes.count else { throw fault("a string does not end") }
        position += 1
        switch bytes[position - 1] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return Character(try codePoint())
        default: throw fault("a string has an unknown escape")
        }
    }

    /// The rest of `\uXXXX`, or of two of them where they are a surrogate pair.
    private mutating func codePoint() throws(SafetensorsError) -> Unicode.Scalar {
        var value = try fourHexDigits()
        if (0xD800..<0xDC00).contains(value) {
            guard bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else {
                throw fault("a surrogate stands alone")
            }
            position += 2
            let low = try fourHexDigits()
            guard (0xDC00..<0xE000).contains(low) else { throw fault("a surrogate stands alone") }
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw fault("a surrogate stands alone") }
        return scalar
    }

    private mutating func fourHexDigits() throws(SafetensorsError) -> UInt32 {
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4, let value = digits.hexadecimal else {
            throw fault("\\u wants four hexadecimal digits")
        }
        position += 4
        return value
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private mutating func consume(_ token: Unicode.Scalar) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: token) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ token: Unicode.Scalar) throws(SafetensorsError) {
        guard consume(token) else { throw fault("expected '\(token)'") }
    }

    /// The error that `reason` is, at the present place.
    func fault(_ reason: String) -> SafetensorsError { .malformed("header, byte \(position): \(reason)") }
}

extension ArraySlice<UInt8> {
    /// The number that the bytes write in hexadecimal digits; nil where one is something else.
    fileprivate var hexadecimal: UInt32? {
        var value: UInt32 = 0
        for byte in self {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
