// Unmodified Python clients with keys: pyzmq, and vidgear's StoneHouse and IronHouse, with the files that they make themselves.

import Daemon
import Foundation
import StreamProtocol
import XCTest
import ZeroMQ

final class CurveClientTests: XCTestCase {
    /// Both make files that everybody can read, which the daemon refuses.
    private func close(_ path: String) throws {
        XCTAssertThrowsError(try CurveKeyFile.keyPair(at: path)) { error in
            XCTAssertTrue("\(error)".contains("chmod 600"), "\(error)")
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }

    func testPyzmqSendsEncrypted() throws {
        let folder = try TemporaryFolder()
        let maker = try python("pyzmq_certificates.py", [folder.path])
        XCTAssertEqual(maker.wait(), 0, "\(maker.errors.read { $0.lines })")
        let (secret, publicKeys) = ("\(folder.path)/server.key_secret", "\(folder.path)/client.key")
        try close(secret)

        let count = 50
        let keys = CurveSettings(secretKey: secret, clients: publicKeys)
        let running = try RunningService { configuration in
            configuration.sources = [
                SourceSettings(name: "door", endpoint: anyPort, pattern: .pull, overload: .block, curve: keys)
            ]
        }
        let sender = try python(
            "curve_push_sender.py",
            [
                running.endpoints.sources[0], "\(folder.path)/client.key_secret", "\(folder.path)/server.key",
                "\(count)",
                try jpegFile(in: running.folder),
            ])
        XCTAssertEqual(sender.wait(), 0, "\(sender.errors.read { $0.lines })")
        XCTAssertEqual(try running.assignments(count).map(\.id), (0..<count).map { "picture \($0)" })
        XCTAssertFalse(running.log.read { $0 }.contains { $0.contains("handshake") || $0.contains("not let in") })
    }

    func testStoneHouseAndIronHouse() throws {
        let folder = try TemporaryFolder()
        let maker = try python("vidgear_certificates.py", [folder.path])
        let keys = try XCTUnwrap(maker.lines(1).last, "\(maker.errors.read { $0.lines })")
        XCTAssertEqual(maker.wait(), 0)
        let secret = "\(keys)/private_keys/server.key_secret"
        try close(secret)

        for (mode, clients) in [(1, CurveSettings.anyClient), (2, "\(keys)/public_keys")] {
            for (pattern, socket) in [SourceSettings.Pattern.pair, .rep, .sub].enumerated() {
                let running = try RunningService { configuration in
                    configuration.sources = [
                        SourceSettings(
                            name: "gear", endpoint: anyPort, pattern: socket, overload: socket.usualOverload,
                            curve: CurveSettings(secretKey: secret, clients: clients))
                    ]
                }
                let sender = try netGear(
                    running.endpoints.sources[0], pattern: pattern, kind: "jpeg", count: pattern == 2 ? 0 : 5,
                    pause: 0.02,
                    options: #"{"secure_mode": \#(mode), "custom_cert_location": "\#(folder.path)"}"#)
                let assignments = try running.assignments(5)
                XCTAssertEqual(Set(assignments.map(\.source)), ["gear"], "mode \(mode), pattern \(pattern)")
                XCTAssertEqual(Set(assignments.map(\.cluster)), [1])
                try sender.input.close()
                XCTAssertEqual(sender.wait(), 0, "\(sender.errors.read { $0.lines })")
            }
        }
    }
}
