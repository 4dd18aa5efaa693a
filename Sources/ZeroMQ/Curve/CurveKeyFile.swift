// Keys in files: certificates as pyzmq's zmq.auth and czmq write and read them, in ZPL (ZeroMQ RFC 4).
//
//     curve
//         public-key = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
//         secret-key = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
//
// NAME.key holds the public key alone, NAME.key_secret both.

import Glibc

/// Reads key files.
public enum CurveKeyFile {
    /// What the names of public keys' files end in.
    public static let publicSuffix = ".key"
    /// What the names of secret keys' files end in.
    public static let secretSuffix = ".key_secret"

    private static let largestFile = 64 << 10

    /// The key pair in a file, which nobody but its owner may be able to read.
    ///
    /// - Throws: `KeyFileError`, among others where the file is open to others, or its two keys do not belong together.
    public static func keyPair(at path: String) throws(KeyFileError) -> CurveKeyPair {
        let (text, mode) = try read(path)
        let keys = try fields(of: text, path)
        guard let secret = keys["secret-key"] else {
            throw KeyFileError(
                "use", path, "it holds no secret key", hint: "that is in the file that ends in \(secretSuffix)")
        }
        guard mode & 0o077 == 0 else {
            throw KeyFileError(
                "use", path, "others than its owner have access to the secret key (mode \(octal(mode)))",
                hint: "chmod 600 \(path)")
        }
        let pair: CurveKeyPair?
        do { pair = try Z85.bytes(secret).flatMap { try CurveKeyPair(secretKey: $0) } } catch {
            throw KeyFileError("use", path, "\(error)")
        }
        guard let pair else { throw KeyFileError("use", path, "its secret key is not 40 characters of Z85") }
        if let publicKey = keys["public-key"], CurveKey(z85: publicKey) != pair.publicKey {
            throw KeyFileError("use", path, "its public key does not belong to its secret key")
        }
        return pair
    }

    /// The public key in a file.
    ///
    /// - Throws: `KeyFileError`, among others where everybody may change the file.
    public static func publicKey(at path: String) throws(KeyFileError) -> CurveKey {
        let (text, mode) = try read(path)
        try refuseOpenToChange(path, mode)
        guard let written = try fields(of: text, path)["public-key"] else {
            throw KeyFileError("use", path, "it holds no public key")
        }
        guard let key = CurveKey(z85: written) else {
            throw KeyFileError("use", path, "its public key is not 40 characters of Z85")
        }
        return key
    }

    /// The public keys in a folder's files that end in `.key`, or the one in a file.
    ///
    /// - Throws: `KeyFileError`; no key is left out in silence, and a folder without any is no folder of keys.
    public static func publicKeys(at path: String) throws(KeyFileError) -> Set<CurveKey> {
        var status = stat()
        guard stat(path, &status) == 0 else { throw KeyFileError("read", path, errno: errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else { return [try publicKey(at: path)] }
        try refuseOpenToChange(path, status.st_mode)
        let files = try names(in: path).filter { $0.hasSuffix(publicSuffix) && !$0.hasPrefix(".") }
        guard !files.isEmpty else {
            throw KeyFileError("use", path, "no file in it ends in \(publicSuffix)", hint: "nobody could ever connect")
        }
        var keys: Set<CurveKey> = []
        for file in files { keys.insert(try publicKey(at: "\(path)/\(file)")) }
        return keys
    }

    // MARK: Files

    private static func refuseOpenToChange(_ path: String, _ mode: mode_t) throws(KeyFileError) {
        guard mode & 0o002 == 0 else {
            throw KeyFileError(
                "use", path, "everybody may change it (mode \(octal(mode)))", hint: "chmod o-w \(path)")
        }
    }

    private static func octal(_ mode: mode_t) -> String { "0" + String(mode & 0o7777, radix: 8) }

    /// The content of a file, which is small, and its mode: open(2), fstat(2), read(2).
    private static func read(_ path: String) throws(KeyFileError) -> (text: String, mode: mode_t) {
        // A pipe in the file's place must not be waited for.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw KeyFileError("read", path, errno: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw KeyFileError("read", path, errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw KeyFileError("read", path, "it is not a file") }
        var bytes = [UInt8](repeating: 0, count: largestFile + 1)
        var count = 0
        while count < bytes.count {
            let part = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress! + count, $0.count - count)
            }
            if part < 0, errno == EINTR { continue }
            guard part >= 0 else { throw KeyFileError("read", path, errno: errno) }
            if part == 0 { break }
            count += part
        }
        guard count <= largestFile else { throw KeyFileError("read", path, "it is larger than any key file") }
        return (String(decoding: bytes.prefix(count), as: UTF8.self), status.st_mode)
    }

    /// readdir(3).
    private static func names(in path: String) throws(KeyFileError) -> [String] {
        guard let folder = opendir(path) else { throw KeyFileError("read", path, errno: errno) }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            names.append(
                withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names.sorted()
    }

    // MARK: ZPL

    /// The values in the section `curve`.
    private static func fields(of text: String, _ path: String) throws(KeyFileError) -> [String: String] {
        var section = ""
        var fields: [String: String] = [:]
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let content = trimmed(line)
            guard let first = content.first, first != "#" else { continue }
            // A key may itself have an equals sign.
            guard let equals = content.firstIndex(of: "=") else {
                if let start = line.first, !isSpace(start) { section = content }
                continue
            }
            guard section == "curve" else { continue }
            let name = trimmed(content[..<equals])
            let value = unquoted(trimmed(content[content.index(after: equals)...]))
            guard fields.updateValue(value, forKey: name) == nil else {
                throw KeyFileError("use", path, "line \(number + 1) gives \(name) again")
            }
        }
        return fields
    }

    private static func isSpace(_ character: Character) -> Bool { character == " " || character == "\t" }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return String(text)
    }

    private static func unquoted(_ value: String) -> String {
        guard value.count >= 2, let quote = value.first, quote == "\"" || quote == "'", value.last == quote else {
            return value
        }
        return String(value.dropFirst().dropLast())
    }
}
