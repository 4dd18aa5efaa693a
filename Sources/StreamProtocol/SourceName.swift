// Source names as they may appear in topics, counters and file names.

/// The rule for the names of sources: `[A-Za-z0-9_.-]{1,64}`.
public enum SourceName {
    /// The most characters that a name may have.
    public static let maximumLength = 64

    /// Whether `text` is a name as it stands.
    public static func isValid(_ text: String) -> Bool {
        (1...maximumLength).contains(text.utf8.count) && text.utf8.allSatisfy(isAllowed)
    }

    /// A name made of `text`: other characters become `_`, and what exceeds the length is cut off; nil where there is none.
    public static func sanitise(_ text: String) -> String? {
        if isValid(text) { return text }
        let name = text.unicodeScalars.prefix(maximumLength).map { scalar in
            scalar.isASCII && isAllowed(UInt8(scalar.value)) ? Character(scalar) : "_"
        }
        return name.isEmpty ? nil : String(name)
    }

    /// A name made of a frame, in which bytes that are not UTF-8 are other characters too; nil where the frame is empty.
    static func sanitise(_ frame: [UInt8]) -> String? {
        // A character has at most four bytes: however large the frame, a few hundred decide.
        sanitise(String(decoding: frame.prefix(4 * maximumLength), as: UTF8.self))
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
