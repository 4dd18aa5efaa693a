// What is announced of a checkpoint, and how checkpoints are named.

/// A checkpoint that lies whole on disk.
public struct CheckpointRecord: Sendable, Equatable {
    /// The name, such as `step-000001200`.
    public let id: String
    /// How many steps its weights have been trained for.
    public let step: UInt64
    /// The size of the file.
    public let bytes: Int
    /// The SHA-256 of the file in hexadecimal digits.
    public let sha256: String
    /// When it was written, in nanoseconds since 1970.
    public let time: UInt64
    /// Where the file is.
    public let path: String
}

/// The name of a checkpoint's file: `step-` and at least nine digits.
struct CheckpointName: Sendable, Hashable, Comparable {
    private static let prefix = "step-"
    private static let suffix = ".safetensors"
    private static let partialSuffix = ".safetensors.partial"

    let step: UInt64

    init(step: UInt64) { self.step = step }

    /// The checkpoint that `file` holds; nil for every other file.
    init?(file: String) {
        guard let step = Self.step(in: file, after: Self.prefix, before: Self.suffix) else { return nil }
        self.init(step: step)
    }

    /// The checkpoint that is called `id`; nil for every other text.
    init?(id: String) { self.init(file: id + Self.suffix) }

    /// Whether `file` is what a writer leaves behind that was killed.
    static func isPartial(file: String) -> Bool {
        step(in: file, after: "." + prefix, before: partialSuffix) != nil
    }

    /// The checkpoint's identifier.
    var id: String {
        let digits = String(step)
        return Self.prefix + String(repeating: "0", count: max(0, 9 - digits.count)) + digits
    }

    /// The file that holds the checkpoint.
    var file: String { id + Self.suffix }

    /// The file that becomes the checkpoint once it is whole.
    var partialFile: String { "." + id + Self.partialSuffix }

    static func < (a: Self, b: Self) -> Bool { a.step < b.step }

    private static func step(in file: String, after prefix: String, before suffix: String) -> UInt64? {
        guard file.hasPrefix(prefix), file.hasSuffix(suffix) else { return nil }
        let digits = file.dropFirst(prefix.count).dropLast(suffix.count)
        guard digits.count >= 9, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        guard digits.count == 9 || digits.first != "0" else { return nil }
        return UInt64(digits)
    }
}
