// A JSON value, as small as the stream's headers need it.
//
// Foundation's JSONSerialization is not used: it refuses the NaN and Infinity that Python's json.dumps writes, does not
// promise the last of duplicate keys, and passes integers through NSNumber. Headers also arrive tens of thousands of times
// a second from strangers, so depth and size are bounded here. JSONParser reads values, JSONWriter writes them.

/// A JSON value.
package enum JSON: Sendable, Equatable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number without fraction and exponent in Int64.min ... UInt64.max, exact.
    case integer(Int128)
    /// Any other number, and Python's NaN, Infinity and -Infinity.
    case number(Double)
    /// A string; a lone surrogate in it has become U+FFFD.
    case string(String)
    /// An array.
    case array([JSON])
    /// An object; of duplicate keys the last counts, as in Python.
    case object([String: JSON])

    /// A whole number.
    package init(_ value: some FixedWidthInteger) { self = .integer(Int128(value)) }

    /// A number; NaN and the infinities are written as null.
    package init(_ value: some BinaryFloatingPoint) { self = .number(Double(value)) }

    /// A string, or null.
    package init(_ text: String?) { self = text.map { .string($0) } ?? .null }

    /// The string, nil for any other type.
    package var text: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    /// The truth value, nil for any other type.
    package var flag: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// The elements, nil for any other type.
    package var elements: [JSON]? {
        guard case .array(let value) = self else { return nil }
        return value
    }

    /// The members, nil for any other type.
    package var members: [String: JSON]? {
        guard case .object(let value) = self else { return nil }
        return value
    }

    /// The number as an integer type, nil where it is none or does not fit. `42.0` and `1e3` are integers: JSON does not
    /// tell them from `42` and `1000`, and some languages have only such numbers.
    package func integer<Value: FixedWidthInteger>(as type: Value.Type = Value.self) -> Value? {
        switch self {
        case .integer(let value): Value(exactly: value)
        case .number(let value): Value(exactly: value)
        default: nil
        }
    }

    /// The number, nil for any other type.
    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The number rounded to binary32; `null` is NaN, since JSON has no other way to write it.
    package var float: Float? {
        switch self {
        case .integer(let value): Float(value)
        case .number(let value): Float(value)
        case .null: .nan
        default: nil
        }
    }
}

/// A key of an object that is missing or of the wrong type.
package struct JSONKeyError: Error, Equatable, CustomStringConvertible {
    /// The key.
    package let key: String
    /// What belongs there, such as "a string".
    package let expected: String
    /// Whether the key is missing, or null, rather than of another type.
    package let isMissing: Bool

    /// One line for a log.
    package var description: String { isMissing ? "\(key) is missing" : "\(key) is not \(expected)" }
}

extension [String: JSON] {
    /// The value of an optional key, nil where it is missing or null.
    ///
    /// - Parameters:
    ///   - expected: what belongs there, for the error.
    ///   - read: turns the value into the type wanted, nil where it is of another type.
    package func optional<Field>(
        _ key: String, _ expected: String, _ read: (JSON) -> Field?
    ) throws(JSONKeyError) -> Field? {
        guard let json = self[key], json != .null else { return nil }
        guard let value = read(json) else { throw JSONKeyError(key: key, expected: expected, isMissing: false) }
        return value
    }

    /// The value of a key that must be there.
    package func required<Field>(
        _ key: String, _ expected: String, _ read: (JSON) -> Field?
    ) throws(JSONKeyError) -> Field {
        guard let value = try optional(key, expected, read) else {
            throw JSONKeyError(key: key, expected: expected, isMissing: true)
        }
        return value
    }
}
