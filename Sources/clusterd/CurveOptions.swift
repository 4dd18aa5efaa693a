// The keys of commands that connect to a daemon.

import ArgumentParser
import Client
import Glibc
import Remote
import ZeroMQ

/// What all commands that connect have in common.
struct CurveOptions: ParsableArguments {
    @Option(
        name: .customLong("curve-server-key"),
        help: ArgumentHelp(
            "Connect encrypted, with nobody but the owner of the public key in this file.", valueName: "file"),
        completion: .file(extensions: ["key"]))
    var serverKey: String?

    @Option(
        name: .customLong("curve-secret-key"),
        help: ArgumentHelp(
            "The file with this client's own keys. (default: keys for the moment, for a daemon that lets any in)",
            valueName: "file"),
        completion: .file(extensions: ["key_secret"]))
    var secretKey: String?

    func validate() throws {
        guard serverKey != nil || secretKey == nil else {
            throw ValidationError("--curve-secret-key needs --curve-server-key, the daemon's public key")
        }
    }

    /// The keys; nil is without encryption.
    func client() throws -> CurveClient? {
        guard let serverKey else { return nil }
        do {
            return try CurveClient(
                serverKey: try CurveKeyFile.publicKey(at: serverKey),
                keys: try secretKey.map { path in try CurveKeyFile.keyPair(at: path) })
        } catch {
            _ = OutputFile(descriptor: STDERR_FILENO).write(Array("clusterd: \(error)\n".utf8))
            throw ExitCode(EX_IOERR)
        }
    }
}
