// A new key pair's two files: each whole or absent, the secret one its owner's alone from its first byte on.

import Glibc

extension CurveKeyFile {
    /// Writes `folder/NAME.key` and `folder/NAME.key_secret`.
    ///
    /// - Parameter replaces: whether files that are there already may be written over.
    /// - Throws: `KeyFileError`, among others where a file is there already; neither has changed then.
    public static func write(
        _ keys: CurveKeyPair, name: String, folder: String, replaces: Bool = false
    ) throws(KeyFileError) {
        let base = "\(folder)/\(name)"
        let publicText =
            "#   A public key of ZeroMQ's CURVE: to be given to whoever is to know this peer.\n\n"
            + "curve\n    public-key = \"\(keys.publicKey.z85)\"\n"
        let secretText =
            "#   A SECRET key of ZeroMQ's CURVE: to be given to nobody.\n\n"
            + "curve\n    public-key = \"\(keys.publicKey.z85)\"\n    secret-key = \"\(keys.secretZ85)\"\n"
        let files = [
            NewFile(path: base + secretSuffix, text: secretText, mode: 0o600),
            NewFile(path: base + publicSuffix, text: publicText, mode: 0o644),
        ]
        if !replaces {
            for file in files where access(file.path, F_OK) == 0 { throw file.isThere }
        }
        defer { for file in files { unlink(file.temporary) } }
        for file in files { try file.write() }
        for file in files { try file.publish(replaces: replaces) }
    }

    /// A file that gets its name when it is whole.
    private struct NewFile {
        let path: String
        let text: String
        let mode: mode_t

        var temporary: String { path + ".new" }

        var isThere: KeyFileError {
            KeyFileError("write", path, "it is there already", hint: "who knows its key would not know the new one")
        }

        /// open(2), write(2), fsync(2).
        func write() throws(KeyFileError) {
            unlink(temporary)
            let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
            guard descriptor >= 0 else { throw KeyFileError("write", path, errno: errno) }
            defer { close(descriptor) }
            let bytes = Array(text.utf8)
            // So few bytes are written whole or not at all.
            guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
                throw KeyFileError("write", path, errno: errno)
            }
        }

        /// rename(2) in the place of what is there, or link(2), which leaves that as it is.
        func publish(replaces: Bool) throws(KeyFileError) {
            let status = replaces ? rename(temporary, path) : link(temporary, path)
            guard status == 0 else { throw errno == EEXIST ? isThere : KeyFileError("write", path, errno: errno) }
        }
    }
}
