// What is known of the terminal behind a descriptor, and how wide text is on it.

import Glibc

/// A terminal, or what stands in its place.
public struct Terminal: Sendable {
    /// The descriptor.
    public let descriptor: Int32

    /// Standard output.
    public static let output = Terminal(descriptor: STDOUT_FILENO)
    /// Standard error.
    public static let error = Terminal(descriptor: STDERR_FILENO)

    /// Whether this is a terminal whose lines can be rewritten: `isatty`, and `TERM` is not `dumb`.
    public var isInteractive: Bool {
        guard isatty(descriptor) == 1 else { return false }
        let kind = getenv("TERM").map { String(cString: $0) } ?? ""
        return !kind.isEmpty && kind != "dumb"
    }

    /// Columns and rows, at this moment: `TIOCGWINSZ`.
    public var size: (columns: Int, rows: Int) {
        var window = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(window.ws_col), Int(window.ws_row))
    }

    /// Whether its text is UTF-8, by `LC_ALL`, `LC_CTYPE` and `LANG`.
    public static var speaksUTF8: Bool {
        let names: [String] = ["LC_ALL", "LC_CTYPE", "LANG"]
        let settings = names.lazy.compactMap { name in getenv(name).map { String(cString: $0).lowercased() } }
        let locale = settings.first { !$0.isEmpty } ?? ""
        return locale.hasSuffix("utf-8") || locale.hasSuffix("utf8")
    }
}

/// How many columns a text takes.
package func columns(_ text: String) -> Int { text.reduce(0) { $0 + columns($1) } }

/// `text` in exactly `width` columns: padded behind, or cut with an ellipsis; `keepingEnd` cuts in front.
package func fitted(_ text: String, _ width: Int, keepingEnd: Bool = false) -> String {
    let taken = columns(text)
    if taken <= width { return text + String(repeating: " ", count: width - taken) }
    guard width > 0 else { return "" }
    var kept = ""
    var room = width - 1
    for character in keepingEnd ? Array(text.reversed()) : Array(text) {
        room -= columns(character)
        if room < 0 { break }
        if keepingEnd { kept = String(character) + kept } else { kept.append(character) }
    }
    let cut = keepingEnd ? "…" + kept : kept + "…"
    return cut + String(repeating: " ", count: width - columns(cut))
}

/// `text` in at least `width` columns, padded in front.
package func rightAligned(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - columns(text))) + text
}

/// Two for East Asian wide characters and emoji (Unicode Standard Annex 11, the blocks that matter), else one.
private func columns(_ character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
        return 2
    default: return 1
    }
}
