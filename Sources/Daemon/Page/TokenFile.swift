// The file with the token that the page wants of everybody, where it is served to more than this machine.

import Glibc

/// Why a token's file is of no use.
public struct TokenFileError: Error, Equatable, CustomStringConvertible {
    /// The file.
    public let path: String
    /// Why not.
    public let reason: String

    /// One line.
    public var description: String { "cannot read the token in \(path): \(reason)" }
}

/// Reads tokens.
enum TokenFile {
    /// Fewer characters can be guessed.
    static let shortest = 16
    private static let longest = 256

    /// The token: the file's first line, without white space at its end.
    static func read(_ path: String) throws(TokenFileError) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw TokenFileError(path: path, reason: String(cString: strerror(errno))) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw TokenFileError(path: path, reason: "it is not a file")
        }
        guard status.st_mode & (S_IROTH | S_IWOTH) == 0 else {
            throw TokenFileError(path: path, reason: "everybody can read or change it (chmod 600 \(path))")
        }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(file, &bytes, bytes.count)
        guard count >= 0 else { throw TokenFileError(path: path, reason: String(cString: strerror(errno))) }
        let line = bytes[..<count].prefix { $0 != 0x0A }
        let token = line.reversed().drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }.reversed()
        guard (shortest...longest).contains(token.count), token.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw TokenFileError(
                path: path,
                reason: "a token is a line of \(shortest) to \(longest) letters, digits and signs, without spaces")
        }
        return String(decoding: Array(token), as: UTF8.self)
    }
}
