// JSON values to bytes, appended straight to the message: assignments leave by the tens of thousands a second.
//
// Whatever is written is valid JSON: integers exact, floating-point numbers as the shortest decimal that reads back the
// same, NaN and the infinities as null.

/// Something that can be written as a JSON value.
package protocol JSONWritable {
    /// Appends the value.
    func write(to writer: inout JSONWriter)
}

/// Builds one JSON document.
package struct JSONWriter {
    /// What has been written so far.
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// Creates an empty document.
    package init() { bytes.reserveCapacity(384) }

    /// The bytes of one object; `body` writes its members.
    package static func object(_ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object(body)
        return writer.bytes
    }

    /// Appends an object; `body` writes its members.
    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        bytes.append(UInt8(ascii: "{"))
        needsComma = false
        body(&self)
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    /// Appends an array.
    package mutating func array(_ elements: some Sequence<some JSONWritable>) {
        bytes.append(UInt8(ascii: "["))
        needsComma = false
        for element in elements {
            separate()
            element.write(to: &self)
            needsComma = true
        }
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    /// Appends a member of the object that is being written; nil is null.
    package mutating func member(_ key: String, _ value: some JSONWritable) {
        separate()
        string(key)
        bytes.append(UInt8(ascii: ":"))
        value.write(to: &self)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    /// Appends a word of JSON's own, or the digits of a number.
    fileprivate mutating func plain(_ text: String) { bytes.append(contentsOf: text.utf8) }

    fileprivate mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            var written = 0
            for (index, byte) in utf8.enumerated() {
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
                bytes.append(contentsOf: utf8[written..<index])
                escape(byte)
                written = index + 1
            }
            bytes.append(contentsOf: utf8[written...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(contentsOf: [UInt8(ascii: "\\"), byte])
        case 0x0A: plain("\\n")
        case 0x0D: plain("\\r")
        case 0x09: plain("\\t")
        default: plain(byte < 0x10 ? "\\u000\(String(byte, radix: 16))" : "\\u00\(String(byte, radix: 16))")
        }
    }
}

extension JSON: JSONWritable {
    package func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.plain("null")
        case .bool(let value): writer.plain(value ? "true" : "false")
        case .integer(let value): writer.plain(String(value))
        case .number(let value): value.write(to: &writer)
        case .string(let value): writer.string(value)
        case .array(let elements): writer.array(elements)
        case .object(let members):
            writer.object { writer in
                for (key, value) in members.sorted(by: { $0.key < $1.key }) { writer.member(key, value) }
            }
        }
    }
}

extension String: JSONWritable {
    package func write(to writer: inout JSONWriter) { writer.string(self) }
}

extension Int: JSONWritable {
    package func write(to writer: inout JSONWriter) { writer.plain(String(self)) }
}

extension Int64: JSONWritable {
    package func write(to writer: inout JSONWriter) { writer.plain(String(self)) }
}

extension UInt64: JSONWritable {
    package func write(to writer: inout JSONWriter) { writer.plain(String(self)) }
}

extension Float: JSONWritable {
    package func write(to writer: inout JSONWriter) { writer.plain(isFinite ? description : "null") }
}

extension Double: JSONWritable {
    package func write(to writer: inout JSONWriter) { writer.plain(isFinite ? description : "null") }
}

extension Label: JSONWritable {
    package func write(to writer: inout JSONWriter) {
        switch self {
        case .text(let text): writer.string(text)
        case .number(let number): number.write(to: &writer)
        }
    }
}

extension Optional: JSONWritable where Wrapped: JSONWritable {
    package func write(to writer: inout JSONWriter) {
        if let self { self.write(to: &writer) } else { writer.plain("null") }
    }
}

extension Array: JSONWritable where Element: JSONWritable {
    package func write(to writer: inout JSONWriter) { writer.array(self) }
}
