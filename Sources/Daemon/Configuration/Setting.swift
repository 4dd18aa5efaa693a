// One thing that can be set: its key, what it may be, what it is for, and how text becomes its value.
//
// The same description serves parsing, check-config's output and the documentation, so they cannot disagree.

/// A value as somebody wrote it.
enum WrittenValue: Equatable {
    /// Text of a flag or an environment variable, whatever it may be meant to be.
    case text(String)
    /// A scalar of the file; quoted, it is text and nothing else.
    case scalar(String, isQuoted: Bool)
    /// Nothing, as after `threads:`.
    case nothing
    /// A list of the file.
    case list
    /// Keys with values of the file.
    case section

    var description: String {
        switch self {
        case .text(let text): "“\(text.prefix(80))”"
        case .scalar(let text, isQuoted: true): "the text \"\(text.prefix(80))\""
        case .scalar(let text, isQuoted: false): "“\(text.prefix(80))”"
        case .nothing: "nothing"
        case .list: "a list"
        case .section: "a section"
        }
    }
}

/// Why a value cannot be taken.
struct SettingRefusal: Error {
    let message: String
}

/// A setting of a `Root`, either of the configuration or of a source.
public struct Setting<Root>: Sendable {
    /// The key, `train.batch_size` or, for a source, `endpoint`.
    public let key: String
    /// What its value may be, such as `a whole number from 2 to 65536`.
    public let expectation: String
    /// What it is for.
    public let documentation: String
    /// Its value as it would be written.
    public let value: @Sendable (Root) -> String
    let set: @Sendable (inout Root, WrittenValue) throws(SettingRefusal) -> Void

    private static func make<Value>(
        _ key: String, _ path: WritableKeyPath<Root, Value> & Sendable, expectation: String, documentation: String,
        show: @escaping @Sendable (Value) -> String,
        parse: @escaping @Sendable (WrittenValue) throws(SettingRefusal) -> Value?
    ) -> Self {
        Self(
            key: key, expectation: expectation, documentation: documentation, value: { show($0[keyPath: path]) },
            set: { (root, written) throws(SettingRefusal) in
                guard let value = try parse(written) else {
                    throw SettingRefusal(message: "\(written.description) where \(expectation) is expected")
                }
                root[keyPath: path] = value
            })
    }

    /// A whole number.
    static func integer<Value: FixedWidthInteger & Sendable>(
        _ key: String, _ path: WritableKeyPath<Root, Value> & Sendable, _ range: ClosedRange<Int>,
        _ documentation: String
    ) -> Self {
        let limits =
            range.upperBound == .max ? "at least \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
        return make(
            key, path, expectation: "a whole number, \(limits),", documentation: documentation, show: { "\($0)" }
        ) { (written) throws(SettingRefusal) in
            guard let text = written.unquoted, text.wholeMatch(of: /[+-]?[0-9]+/) != nil else { return nil }
            guard let value = Int(text), range.contains(value) else {
                throw SettingRefusal(message: "\(text) is out of range: \(limits)")
            }
            return Value(value)
        }
    }

    /// A number.
    static func number(
        _ key: String, _ path: WritableKeyPath<Root, Float> & Sendable, _ range: ClosedRange<Double>,
        _ documentation: String
    ) -> Self {
        let limits = "\(range.lowerBound) to \(range.upperBound)"
        return make(
            key, path, expectation: "a number, \(limits),", documentation: documentation, show: { "\($0)" }
        ) { (written) throws(SettingRefusal) in
            guard let text = written.unquoted, let value = number(text) else { return nil }
            guard range.contains(value) else { throw SettingRefusal(message: "\(text) is out of range: \(limits)") }
            return Float(value)
        }
    }

    /// True or false.
    static func flag(_ key: String, _ path: WritableKeyPath<Root, Bool> & Sendable, _ documentation: String) -> Self {
        make(key, path, expectation: "true or false", documentation: documentation, show: { "\($0)" }) {
            (written) throws(SettingRefusal) in written.unquoted.flatMap(Bool.init)
        }
    }

    /// One of several words.
    static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
        _ key: String, _ path: WritableKeyPath<Root, Value> & Sendable,
        _ documentation: String
    ) -> Self {
        let words = Value.allCases.map(\.rawValue)
        let expectation = words.count == 1 ? words[0] : "one of " + words.joined(separator: ", ")
        return make(key, path, expectation: expectation, documentation: documentation, show: \.rawValue) {
            (written) throws(SettingRefusal) in
            guard let text = written.anyText else { return nil }
            if let value = Value(rawValue: text) { return value }
            let suggestion = nearestName(to: text, in: words).map { "; did you mean \($0)?" } ?? ""
            throw SettingRefusal(message: "\(written.description) where \(expectation) is expected\(suggestion)")
        }
    }

    /// A text that `check` finds nothing wrong with, and may change.
    static func text(
        _ key: String, _ path: WritableKeyPath<Root, String> & Sendable, expectation: String, _ documentation: String,
        check: @escaping @Sendable (String) throws(SettingRefusal) -> String?
    ) -> Self {
        make(key, path, expectation: expectation, documentation: documentation, show: { $0 }) {
            (written) throws(SettingRefusal) in
            guard let text = written.anyText else { return nil }
            return try check(text)
        }
    }

    /// A decimal number, finite; Swift's `Double` would also read hexadecimal numbers and words.
    private static func number(_ text: String) -> Double? {
        guard text.allSatisfy({ $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }) else { return nil }
        return Double(text).flatMap { $0.isFinite ? $0 : nil }
    }
}

extension WrittenValue {
    /// The text of what is not quoted, and so may be a number or a truth value.
    fileprivate var unquoted: String? {
        switch self {
        case .text(let text), .scalar(let text, isQuoted: false): text
        default: nil
        }
    }

    /// The text, quoted or not.
    fileprivate var anyText: String? {
        switch self {
        case .text(let text), .scalar(let text, _): text
        default: nil
        }
    }
}
