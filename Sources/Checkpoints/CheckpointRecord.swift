// What is announced of a checkpoint, and how checkpoints are named.

/// A checkpoint that lies whole on disk.
public struct CheckpointRecord: Sendable, Equatable {
    /// The name, such as `step-000001200`.
    public let id: String
    /// How many steps its weights have been trained for.
    public let step: UInt64
    /// The numbering that the clusters' meaning belongs to.
    public let labelEpoch: UInt64
    /// The size of the file.
    public let bytes: Int
    /// The SHA-256 of the file in hexadecimal digits.
    public let sha256: String
    /// When it was written, in nanoseconds since 1970.
    public let time: UInt64
    /// Where the file is.
    public let path: String

    /// Whether `text` is a checkpoint's name.
    public static func isID(_ text: String) -> Bool { CheckpointName(id: text) != nil }

    /// The name of the checkpoint of `step` in a label epoch, whether or not there is one.
    public static func id(step: UInt64, labelEpoch: UInt64) -> String {
        CheckpointName(step: step, labelEpoch: labelEpoch).id
    }
}

/// The name of a checkpoint's file: `step-` and at least nine digits, and after a reload `-epoch-` and the label epoch.
///
/// A reload may go back to a lower step. What comes after it has a higher label epoch and is newer nevertheless, and it never
/// takes the name of a checkpoint from before.
struct CheckpointName: Sendable, Hashable, Comparable {
    private static let suffix = ".safetensors"
    private static let partialSuffix = ".safetensors.partial"

    let step: UInt64
    let labelEpoch: UInt64

    init(step: UInt64, labelEpoch: UInt64) {
        self.step = step
        self.labelEpoch = labelEpoch
    }

    /// The checkpoint that is called `id`; nil for every other text.
    init?(id: String) {
        guard let match = id.wholeMatch(of: /step-([0-9]{9,20})(?:-epoch-([1-9][0-9]{0,19}))?/),
            let step = UInt64(match.1), let labelEpoch = UInt64(match.2 ?? "0")
        else { return nil }
        self.init(step: step, labelEpoch: labelEpoch)
        guard self.id == id else { return nil }
    }

    /// The checkpoint that `file` holds; nil for every other file.
    init?(file: String) {
        guard file.hasSuffix(Self.suffix) else { return nil }
        self.init(id: String(file.dropLast(Self.suffix.count)))
    }

    /// Whether `file` is what a writer leaves behind that was killed.
    static func isPartial(file: String) -> Bool {
        file.hasPrefix(".") && file.hasSuffix(partialSuffix)
            && CheckpointName(id: String(file.dropFirst().dropLast(partialSuffix.count))) != nil
    }

    /// The checkpoint's identifier.
    var id: String {
        let digits = String(step)
        let padding = String(repeating: "0", count: max(0, 9 - digits.count))
        return "step-\(padding)\(digits)" + (labelEpoch > 0 ? "-epoch-\(labelEpoch)" : "")
    }

    /// The file that holds the checkpoint.
    var file: String { id + Self.suffix }

    /// The file that becomes the checkpoint once it is whole.
    var partialFile: String { ".\(id)\(Self.partialSuffix)" }

    static func < (a: Self, b: Self) -> Bool { (a.labelEpoch, a.step) < (b.labelEpoch, b.step) }
}
