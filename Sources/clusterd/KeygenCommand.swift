// `clusterd keygen`: a key pair for encrypted connections.

import ArgumentParser
import Client
import Glibc
import Remote
import ZeroMQ

/// Makes a key pair.
struct KeygenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Makes a key pair for encrypted connections (ZeroMQ CURVE).",
        discussion: """
            Writes NAME.key, the public key that is given to the other side, and NAME.key_secret, both keys, which only \
            its owner can read. Prints the public key. pyzmq (zmq.auth.load_certificate) and vidgear read the files too.

            EXAMPLES
              The daemon's own, and a camera's whose public key the daemon is to know:
                clusterd keygen daemon --directory /etc/clusterd/keys
                clusterd keygen camera1 --directory /etc/clusterd/clients
                clusterd serve --set sources.queue.curve_secret_key=/etc/clusterd/keys/daemon.key_secret \\
                                     sources.queue.curve_clients=/etc/clusterd/clients

            EXIT STATUS
              0   Written.
              64  Wrong usage.
              74  A file is there already, or cannot be written.
            """)

    @Argument(help: "The files' name, without ending.")
    var name: String

    @Option(name: .shortAndLong, help: "The folder to write to.", completion: .directory)
    var directory = "."

    @Flag(help: "Write over keys that are there; who knows the old ones will not know the new.")
    var force = false

    func validate() throws {
        guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else {
            throw ValidationError("a name has no / in it and does not begin with a dot; --directory says where")
        }
    }

    func run() throws {
        do {
            let keys = try CurveKeyPair.generate()
            try CurveKeyFile.write(keys, name: name, folder: directory, replaces: force)
            print(keys.publicKey)
        } catch {
            _ = OutputFile(descriptor: STDERR_FILENO).write(Array("clusterd keygen: \(error)\n".utf8))
            throw ExitCode(EX_IOERR)
        }
    }
}
