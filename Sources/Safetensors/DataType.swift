// The element types of the safetensors format, those read here and those only known by their size.

/// An element type, under the name that the format has for it.
public enum DataType: String, Sendable, CaseIterable {
    /// A boolean in a byte.
    case bool = "BOOL"
    /// Unsigned integers.
    case uint8 = "U8", uint16 = "U16", uint32 = "U32", uint64 = "U64"
    /// Signed integers.
    case int8 = "I8", int16 = "I16", int32 = "I32", int64 = "I64"
    /// IEEE 754 binary floating point, and bfloat16.
    case float16 = "F16", bfloat16 = "BF16", float32 = "F32", float64 = "F64"
    /// A pair of binary32.
    case complex64 = "C64"
    /// Eight-bit floating point.
    case float8e5m2 = "F8_E5M2", float8e4m3 = "F8_E4M3", float8e8m0 = "F8_E8M0"
    /// Eight-bit floating point without negative zero.
    case float8e5m2fnuz = "F8_E5M2FNUZ", float8e4m3fnuz = "F8_E4M3FNUZ"
    /// Floating point of less than a byte, packed.
    case float4 = "F4", float6e2m3 = "F6_E2M3", float6e3m2 = "F6_E3M2"

    /// The size of an element in bits.
    public var bits: Int {
        switch self {
        case .float4: 4
        case .float6e2m3, .float6e3m2: 6
        case .bool, .uint8, .int8, .float8e5m2, .float8e4m3, .float8e8m0, .float8e5m2fnuz, .float8e4m3fnuz: 8
        case .uint16, .int16, .float16, .bfloat16: 16
        case .uint32, .int32, .float32: 32
        case .uint64, .int64, .float64, .complex64: 64
        }
    }
}
