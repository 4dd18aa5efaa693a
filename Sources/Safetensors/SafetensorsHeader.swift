// The header of a safetensors file: which tensors it holds, where, and what its writer says of it.
//
// An eight-byte little-endian length, then that much JSON, then the tensors' data without a gap:
// https://github.com/huggingface/safetensors#format. Whatever the reference implementation refuses is refused here.

/// A header whose every bound has been checked against the size of the data.
public struct SafetensorsHeader: Sendable, Equatable {
    /// Where a tensor lies and how it is to be read.
    public struct Entry: Sendable, Equatable {
        /// The tensor's name.
        public let name: String
        /// The element type.
        public let dataType: DataType
        /// The extents; empty for a scalar.
        public let shape: [Int]
        /// The tensor's bytes, counted from the end of the header.
        public let range: Range<Int>

        /// How many elements the shape has.
        public var count: Int { shape.reduce(1, *) }
    }

    /// The most bytes that the JSON may have, as the format has it.
    public static let maximumLength = 100_000_000

    /// The header's text, padding included.
    public let text: [UInt8]
    /// The writer's own strings.
    public let metadata: [String: String]
    /// The tensors in the order of their data, which they fill without gap or overlap.
    public let entries: [Entry]

    /// Parses the header's text.
    ///
    /// - Parameter dataLength: how many bytes follow the header.
    /// - Throws: `SafetensorsError` of the kind `malformed`.
    public init(text: [UInt8], dataLength: Int) throws(SafetensorsError) {
        guard text.first == UInt8(ascii: "{") else { throw .malformed("the header does not begin with '{'") }
        var parser = HeaderParser(text)
        var metadata: [String: String] = [:]
        var entries: [Entry] = []
        try parser.object { parser, name throws(SafetensorsError) in
            if name == "__metadata__" {
                try parser.object { parser, key throws(SafetensorsError) in metadata[key] = try parser.string() }
            } else {
                entries.append(try Self.entry(name: name, from: &parser))
            }
        }
        try parser.end()
        entries.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        try Self.checkLayout(of: entries, dataLength: dataLength)
        self.text = text
        self.metadata = metadata
        self.entries = entries
    }

    private static func entry(name: String, from parser: inout HeaderParser) throws(SafetensorsError) -> Entry {
        var dataType: DataType?
        var shape: [Int]?
        var offsets: [Int]?
        try parser.object { parser, key throws(SafetensorsError) in
            switch key {
            case "dtype":
                let word = try parser.string()
                guard let known = DataType(rawValue: word) else { throw parser.fault("unknown dtype \"\(word)\"") }
                dataType = known
            case "shape": shape = try parser.integers()
            case "data_offsets": offsets = try parser.integers()
            default: throw parser.fault("unknown key \"\(key)\" in tensor \"\(name)\"")
            }
        }
        guard let dataType, let shape, let offsets else {
            throw parser.fault("tensor \"\(name)\" wants dtype, shape and data_offsets")
        }
        guard offsets.count == 2, offsets[0] <= offsets[1] else {
            throw parser.fault("tensor \"\(name)\" wants two data_offsets in order")
        }
        let bits = ([dataType.bits] + shape).reduce(into: (value: 1, overflow: false)) { product, factor in
            let (value, overflow) = product.value.multipliedReportingOverflow(by: factor)
            product = (value, product.overflow || overflow)
        }
        guard !bits.overflow else { throw parser.fault("the shape \(shape) of tensor \"\(name)\" is too large") }
        let size = offsets[1] - offsets[0]
        guard bits.value % 8 == 0, bits.value / 8 == size else {
            throw parser.fault("tensor \"\(name)\", \(dataType.rawValue) \(shape), does not fill its \(size) bytes")
        }
        return Entry(name: name, dataType: dataType, shape: shape, range: offsets[0]..<offsets[1])
    }

    private static func checkLayout(of entries: [Entry], dataLength: Int) throws(SafetensorsError) {
        var end = 0
        for entry in entries {
            guard entry.range.lowerBound == end else {
                let fault = entry.range.lowerBound < end ? "overlaps the one before" : "leaves a gap before it"
                throw .malformed("tensor \"\(entry.name)\" at byte \(entry.range.lowerBound) \(fault)")
            }
            end = entry.range.upperBound
        }
        if dataLength < end {
            throw .malformed(
                "\(dataLength) bytes of data where the header names \(end)", hint: "the file has been cut off")
        }
        guard dataLength == end else { throw .malformed("\(dataLength - end) bytes follow the last tensor") }
    }
}
