// A whole safetensors file as a value: what it holds on reading, and how it becomes bytes.

import Tensors

/// Named tensors and the strings that go with them.
public struct SafetensorsFile: Sendable, Equatable {
    /// The tensors; after reading, in the order of the file.
    public var tensors: [NamedTensor]
    /// The writer's own strings.
    public var metadata: [String: String]

    /// Puts a file together; names are unique, and `__metadata__` is not one of them.
    public init(tensors: [NamedTensor], metadata: [String: String] = [:]) {
        self.tensors = tensors
        self.metadata = metadata
    }

    /// Reads the file at `path`.
    ///
    /// - Throws: `SafetensorsError`.
    public init(path: String) throws(SafetensorsError) {
        try self.init(reading: SafetensorsReader(path: path))
    }

    /// Reads a file that is in memory.
    ///
    /// - Throws: `SafetensorsError`.
    public init(bytes: [UInt8]) throws(SafetensorsError) {
        try self.init(reading: SafetensorsReader(bytes: bytes))
    }

    private init(reading reader: SafetensorsReader) throws(SafetensorsError) {
        tensors = []
        for entry in reader.header.entries { tensors.append(try reader.tensor(entry)) }
        metadata = reader.header.metadata
    }

    /// The tensor called `name`.
    public subscript(name: String) -> NamedTensor? { tensors.first { $0.name == name } }

    /// The file's bytes, the same for equal contents.
    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        encode { bytes += $0 }
        return bytes
    }

    /// Gives the file's bytes to `sink` from the first to the last: the header, then each tensor.
    ///
    /// As the reference implementation does, data types with larger elements come first, then names decide, so that every
    /// tensor is aligned to its element.
    public func encode<Failure: Error>(
        to sink: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let sorted = tensors.sorted {
            $0.elementSize != $1.elementSize
                ? $0.elementSize > $1.elementSize : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
        try Self.header(of: sorted, metadata: metadata).withBytes(sink)
        for tensor in sorted {
            switch tensor.elements {
            case .float32(let values): try values.withBytes(sink)
            case .int64(let values): try values.withBytes(sink)
            case .uint8(let values): try values.withBytes(sink)
            }
        }
    }

    /// Length and JSON, padded with spaces so that the data begins at a multiple of eight bytes.
    private static func header(of tensors: [NamedTensor], metadata: [String: String]) -> [UInt8] {
        precondition(
            Set(tensors.map(\.name)).union(["__metadata__"]).count == tensors.count + 1,
            "tensors need names of their own")
        var members: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var offset = 0
        for tensor in tensors {
            let end = offset + tensor.elements.count * tensor.elementSize
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            members.append(
                "\(quoted(tensor.name)):{\"dtype\":\"\(tensor.dataType.rawValue)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        var text = Array("{\(members.joined(separator: ","))}".utf8)
        text += [UInt8](repeating: UInt8(ascii: " "), count: -text.count & 7)
        return withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init) + text
    }

    private static func quoted(_ string: String) -> String {
        let body = string.unicodeScalars.map { scalar in
            switch scalar {
            case "\"", "\\": "\\\(scalar)"
            case ..<" ":
                "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: String(scalar)
            }
        }
        return "\"\(body.joined())\""
    }
}

extension NamedTensor {
    fileprivate var dataType: DataType {
        switch elements {
        case .float32: .float32
        case .int64: .int64
        case .uint8: .uint8
        }
    }

    fileprivate var elementSize: Int { dataType.bits / 8 }
}

extension Array where Element: BitwiseCopyable {
    fileprivate func withBytes<Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let result = withUnsafeBytes { bytes in
            Result { () throws(Failure) in try body(bytes) }
        }
        try result.get()
    }
}
