// The program with keys: what it makes itself, every endpoint encrypted, and the configurations that it does not start with.

import Daemon
import Foundation
import XCTest
import ZeroMQ

final class SecureProcessTests: XCTestCase {
    /// Runs a command to its end.
    private func run(_ arguments: [String]) throws -> (code: Int32, output: [String], errors: [String]) {
        let process = try TestProcess.clusterd(arguments)
        return (process.wait(), process.output.read { $0.lines }, process.errors.read { $0.lines })
    }

    /// Keys of these names in a folder of their own; those of clients in `clients`.
    private func makeKeys(in folder: TemporaryFolder) throws {
        try FileManager.default.createDirectory(
            atPath: folder.path + "/clients", withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o755])
        for (name, directory) in [
            ("daemon", folder.path), ("friend", folder.path + "/clients"), ("stranger", folder.path),
        ] {
            let made = try run(["keygen", name, "--directory", directory])
            XCTAssertEqual(made.code, 0, "\(made.errors)")
            XCTAssertEqual(made.output, [try CurveKeyFile.publicKey(at: "\(directory)/\(name).key").z85])
        }
    }

    private func serve(_ folder: TemporaryFolder) throws -> TestProcess {
        let (secret, clients) = (folder.path + "/daemon.key_secret", folder.path + "/clients")
        let sections = ["sources.stream", "sources.queue", "publish", "control"]
        return try TestProcess.serve(
            folder,
            set: sections.flatMap { ["\($0).curve_secret_key=\(secret)", "\($0).curve_clients=\(clients)"] }
                // Beyond this machine, which plaintext is refused for.
                + ["sources.queue.endpoint=tcp://0.0.0.0:*"])
    }

    func testKeysAreNotWrittenOver() throws {
        let folder = try TemporaryFolder()
        XCTAssertEqual(try run(["keygen", "a", "--directory", folder.path]).code, 0)
        let before = try CurveKeyFile.keyPair(at: folder.path + "/a.key_secret")
        let again = try run(["keygen", "a", "--directory", folder.path])
        XCTAssertEqual(again.code, 74)
        XCTAssertTrue(again.errors.first?.contains("there already") ?? false, "\(again.errors)")
        XCTAssertEqual(try CurveKeyFile.keyPair(at: folder.path + "/a.key_secret"), before)
        XCTAssertEqual(try run(["keygen", "a", "--directory", folder.path, "--force"]).code, 0)
        XCTAssertNotEqual(try CurveKeyFile.keyPair(at: folder.path + "/a.key_secret"), before)
        XCTAssertEqual(try run(["keygen", "a/b", "--directory", folder.path]).code, 64)
        XCTAssertEqual(try run(["keygen", "a", "--directory", folder.path + "/none"]).code, 74)
    }

    func testEveryCommandWorksEncryptedAndNoOtherWayIn() throws {
        let folder = try TemporaryFolder()
        try makeKeys(in: folder)
        let daemon = try serve(folder)
        let publisher = try XCTUnwrap(daemon.logged("endpoint", with: "publishing"))
        let control = try XCTUnwrap(daemon.logged("endpoint", with: "answering control"))
        let bound = try XCTUnwrap(daemon.logged("endpoint", with: "source=queue"))
        let queue = bound.replacingOccurrences(of: "0.0.0.0", with: "127.0.0.1")
        let server = ["--curve-server-key", folder.path + "/daemon.key"]
        let friend = server + ["--curve-secret-key", folder.path + "/clients/friend.key_secret"]
        let stranger = server + ["--curve-secret-key", folder.path + "/stranger.key_secret"]

        let status = try run(["ctl", "status", "--to", control, "--json"] + friend)
        XCTAssertEqual(status.code, 0, "\(status.errors)")
        for (keys, reason) in [
            ([], "something answers"), (stranger, "does not know this client's key"),
            (server, "does not know this client's key"),
            (["--curve-server-key", folder.path + "/stranger.key"], "another key than the one"),
        ] {
            let refused = try run(["ctl", "status", "--to", control, "--timeout", "5"] + keys)
            XCTAssertEqual(refused.code, 74, "\(refused.errors)")
            XCTAssertTrue(refused.errors.contains { $0.contains(reason) }, "\(refused.errors), not \(reason)")
        }
        XCTAssertNotNil(daemon.line(with: "its key is not listed", in: daemon.errors))

        let watch = try TestProcess.clusterd(
            ["watch", "--from", publisher, "--control", control, "--from-seq", "1", "--count", "3", "--json"] + friend)
        let picture = folder.path + "/picture.jpg"
        try Data(Pictures.jpeg).write(to: URL(fileURLWithPath: picture))
        let fed = try run(["feed", picture, "--loop", "3", "--to", queue, "--no-progress"] + friend)
        XCTAssertEqual(fed.code, 0, "\(fed.errors)")
        XCTAssertEqual(watch.wait(), 0, "\(watch.errors.read { $0.lines })")
        XCTAssertEqual(watch.output.read { $0.lines.count }, 3)
        let unfed = try run(["feed", picture, "--to", queue, "--no-progress", "--timeout", "5"] + stranger)
        XCTAssertEqual(unfed.code, 75, "\(unfed.errors)")
        XCTAssertTrue(unfed.errors.contains { $0.contains("does not know this client's key") }, "\(unfed.errors)")

        let after = try run(["ctl", "status", "--to", control, "--json"] + friend)
        let json = try JSONSerialization.jsonObject(with: Data(after.output.joined().utf8)) as? [String: Any]
        let failed = json?["failed_handshakes"] as? [String: [String: Int]] ?? [:]
        XCTAssertGreaterThanOrEqual(failed["control"]?["denied"] ?? 0, 2, "\(failed)")
        XCTAssertGreaterThanOrEqual(failed["control"]?.values.reduce(0, +) ?? 0, 4, "\(failed)")
        XCTAssertGreaterThanOrEqual(failed["control"]?["cryptographic"] ?? 0, 1, "\(failed)")
        XCTAssertGreaterThanOrEqual(failed["sources.queue"]?["denied"] ?? 0, 1, "\(failed)")
        daemon.signal(SIGTERM)
        XCTAssertEqual(daemon.wait(), 0)
    }

    func testAPyzmqSubscriberReadsEncrypted() throws {
        let folder = try TemporaryFolder()
        try makeKeys(in: folder)
        let daemon = try serve(folder)
        let publisher = try XCTUnwrap(daemon.logged("endpoint", with: "publishing"))
        let queue = try XCTUnwrap(daemon.logged("endpoint", with: "source=queue"))
            .replacingOccurrences(of: "0.0.0.0", with: "127.0.0.1")
        let keys = [folder.path + "/clients/friend.key_secret", folder.path + "/daemon.key"]
        let subscriber = try python("curve_subscriber.py", [publisher] + keys + ["5"])
        XCTAssertEqual(subscriber.lines(1).first, "ready", "\(subscriber.errors.read { $0.lines })")
        let picture = folder.path + "/picture.jpg"
        try Data(Pictures.jpeg).write(to: URL(fileURLWithPath: picture))
        let sender = try python("curve_push_sender.py", [queue] + keys + ["5", picture])
        XCTAssertEqual(sender.wait(), 0, "\(sender.errors.read { $0.lines })")
        XCTAssertEqual(subscriber.wait(), 0, "\(subscriber.errors.read { $0.lines })")
        XCTAssertEqual(
            subscriber.output.read { $0.lines }, ["ready"] + (0..<5).map { "picture \($0)" })
        daemon.signal(SIGTERM)
        XCTAssertEqual(daemon.wait(), 0)
    }

    func testKeysThatCannotBeUsedStartNothing() throws {
        let folder = try TemporaryFolder()
        try makeKeys(in: folder)
        let secret = folder.path + "/daemon.key_secret"
        try FileManager.default.createDirectory(
            atPath: folder.path + "/empty", withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o755])
        func mistakes(_ settings: [String]) throws -> [String] {
            let process = try TestProcess.serve(folder, set: settings)
            XCTAssertEqual(process.wait(), 78)
            XCTAssertFalse(process.errors.read { $0.lines }.contains { $0.contains("listening") })
            return process.errors.read { $0.lines }
        }
        XCTAssertEqual(
            try mistakes([
                "publish.curve_secret_key=\(secret)", "publish.curve_clients=\(folder.path)/empty",
                "control.curve_secret_key=\(folder.path)/none.key_secret", "control.curve_clients=any",
                "sources.queue.curve_secret_key=\(folder.path)/daemon.key", "sources.queue.curve_clients=any",
                "sources.stream.curve_secret_key=\(secret)", "sources.stream.curve_clients=\(folder.path)/missing",
            ]),
            [
                "--set: sources.stream.curve_clients: cannot read \(folder.path)/missing: No such file or directory",
                "--set: sources.queue.curve_secret_key: cannot use \(folder.path)/daemon.key: it holds no secret key (that "
                    + "is in the file that ends in .key_secret)",
                "--set: publish.curve_clients: cannot use \(folder.path)/empty: no file in it ends in .key (nobody could "
                    + "ever connect)",
                "--set: control.curve_secret_key: cannot read \(folder.path)/none.key_secret: No such file or directory",
            ])
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: secret)
        XCTAssertEqual(
            try mistakes(["publish.curve_secret_key=\(secret)", "publish.curve_clients=any"]),
            [
                "--set: publish.curve_secret_key: cannot use \(secret): others than its owner have access to the secret key "
                    + "(mode 0640) (chmod 600 \(secret))"
            ])
    }
}
