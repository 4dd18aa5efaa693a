// Reads a safetensors file, or bytes in that form, tensor by tensor.
//
// Each tensor's bytes go from the file into the array that the caller gets, with no copy in between.

import Tensors

#if _endian(big)
    #error("the format is little-endian, and arrays are read as they lie in the file")
#endif

/// An open safetensors file, its header read and checked.
public struct SafetensorsReader: Sendable {
    /// The tensors and metadata.
    public let header: SafetensorsHeader
    private let source: ByteSource

    /// The size of the whole file in bytes.
    public var size: Int { source.size }
    /// When the file was last changed, in nanoseconds since 1970; 0 for bytes in memory.
    public var modificationTime: UInt64 { source.modificationTime }

    /// Opens a file and reads its header.
    ///
    /// - Throws: `SafetensorsError`.
    public init(path: String) throws(SafetensorsError) {
        try self.init(ByteSource(path: path))
    }

    /// Reads the header of a file that is in memory.
    ///
    /// - Throws: `SafetensorsError`.
    public init(bytes: [UInt8]) throws(SafetensorsError) {
        try self.init(ByteSource(bytes: bytes))
    }

    private init(_ source: ByteSource) throws(SafetensorsError) {
        self.source = source
        do {
            header = try Self.header(of: source)
        } catch {
            throw error.at(path: source.path)
        }
    }

    private static func header(of source: ByteSource) throws(SafetensorsError) -> SafetensorsHeader {
        let cutOff = "the file has been cut off"
        guard source.size >= 8 else {
            throw .malformed("\(source.size) bytes are too few for a header", hint: cutOff)
        }
        let declared = try source.array(of: UInt64.self, count: 1, at: 0)[0]
        guard declared <= UInt64(SafetensorsHeader.maximumLength) else {
            throw .malformed(
                "a header of \(declared) bytes is over the format's limit", hint: "is it a safetensors file at all?")
        }
        let length = Int(declared)
        guard length <= source.size - 8 else {
            throw .malformed("the header of \(length) bytes is longer than the file", hint: cutOff)
        }
        let text = try source.array(of: UInt8.self, count: length, at: 8)
        return try SafetensorsHeader(text: text, dataLength: source.size - 8 - length)
    }

    /// Reads a tensor.
    ///
    /// F32, F64, F16 and BF16 become float32; U8 and BOOL become uint8; I64, I32, I16, I8, U32 and U16 become int64.
    ///
    /// - Parameters:
    ///   - entry: an entry of `header`.
    ///   - inspect: is given the tensor's bytes as they are in the file.
    /// - Throws: `SafetensorsError`, of the kind `unsupported` for every other element type.
    public func tensor(
        _ entry: SafetensorsHeader.Entry, inspect: (UnsafeRawBufferPointer) -> Void = { _ in }
    ) throws(SafetensorsError) -> NamedTensor {
        func read<T: BitwiseCopyable>(_ type: T.Type) throws(SafetensorsError) -> [T] {
            let offset = 8 + header.text.count + entry.range.lowerBound
            let values = try source.array(of: T.self, count: entry.count, at: offset)
            values.withUnsafeBytes(inspect)
            return values
        }
        let elements: NamedTensor.Elements
        switch entry.dataType {
        case .float32: elements = .float32(try read(Float.self))
        case .float64: elements = .float32(try read(Double.self).map { Float($0) })
        case .float16: elements = .float32(try read(Float16.self).map { Float($0) })
        case .bfloat16: elements = .float32(try read(UInt16.self).map { Float(bitPattern: UInt32($0) << 16) })
        case .uint8, .bool: elements = .uint8(try read(UInt8.self))
        case .int64: elements = .int64(try read(Int64.self))
        case .int32: elements = .int64(try read(Int32.self).map { Int64($0) })
        case .int16: elements = .int64(try read(Int16.self).map { Int64($0) })
        case .int8: elements = .int64(try read(Int8.self).map { Int64($0) })
        case .uint32: elements = .int64(try read(UInt32.self).map { Int64($0) })
        case .uint16: elements = .int64(try read(UInt16.self).map { Int64($0) })
        default:
            throw SafetensorsError(
                .unsupported, path: source.path,
                reason: "tensor \"\(entry.name)\" has the unsupported data type \(entry.dataType.rawValue)")
        }
        return NamedTensor(name: entry.name, shape: entry.shape, elements: elements)
    }
}
