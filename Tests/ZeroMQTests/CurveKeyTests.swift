// Keys, and the files that they are kept in.

import Foundation
import XCTest
import ZeroMQ

final class CurveKeyTests: XCTestCase {
    // zmq_curve(7).
    private let publicKey = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
    private let secretKey = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
    private var folder = ""

    override func setUpWithError() throws {
        folder = NSTemporaryDirectory() + "/curve-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    override func tearDown() { try? FileManager.default.removeItem(atPath: folder) }

    private func file(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
        let path = "\(folder)/\(name)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    private func failure(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "no failure"
        } catch {
            return "\(error)"
        }
    }

    func testKeysAreReadAsTheyAreWritten() throws {
        let key = try XCTUnwrap(CurveKey(z85: publicKey))
        XCTAssertEqual(key.bytes.count, 32)
        XCTAssertEqual(key.z85, publicKey)
        XCTAssertEqual(CurveKey(bytes: key.bytes), key)
        for text in ["", String(publicKey.dropLast()), publicKey + "0", String(repeating: "\\", count: 40)] {
            XCTAssertNil(CurveKey(z85: text), text)
        }
        XCTAssertNil(CurveKey(z85: String(repeating: "é", count: 20)))
        XCTAssertNil(CurveKey(z85: String(repeating: "\0", count: 40)))
        XCTAssertNil(CurveKey(bytes: [1, 2, 3]))
    }

    func testAPairShowsItsPublicKeyAlone() throws {
        let pair = try CurveKeyFile.keyPair(
            at: try file("a.key_secret", "curve\n    secret-key = \"\(secretKey)\"\n"))
        XCTAssertEqual(pair.publicKey.z85, publicKey)
        var dumped = ""
        dump(pair, to: &dumped)
        for text in ["\(pair)", String(reflecting: pair), dumped] {
            XCTAssertTrue(text.contains(publicKey) || text.contains("CurveKey"), text)
            XCTAssertFalse(text.contains(secretKey), text)
        }
        XCTAssertNotEqual(try CurveKeyPair.generate(), try CurveKeyPair.generate())
    }

    func testAPairIsWrittenForItsOwnerAlone() throws {
        let pair = try CurveKeyPair.generate()
        try CurveKeyFile.write(pair, name: "door", folder: folder)
        XCTAssertEqual(try mode("\(folder)/door.key_secret"), 0o600)
        XCTAssertEqual(try CurveKeyFile.keyPair(at: "\(folder)/door.key_secret"), pair)
        XCTAssertEqual(try CurveKeyFile.publicKey(at: "\(folder)/door.key"), pair.publicKey)
        XCTAssertEqual(try CurveKeyFile.publicKeys(at: folder), [pair.publicKey])

        let other = try CurveKeyPair.generate()
        XCTAssertTrue(failure { try CurveKeyFile.write(other, name: "door", folder: folder) }.contains("there already"))
        XCTAssertEqual(try CurveKeyFile.keyPair(at: "\(folder)/door.key_secret"), pair)
        try CurveKeyFile.write(other, name: "door", folder: folder, replaces: true)
        XCTAssertEqual(try CurveKeyFile.keyPair(at: "\(folder)/door.key_secret"), other)
        XCTAssertEqual(try CurveKeyFile.publicKey(at: "\(folder)/door.key"), other.publicKey)
        XCTAssertEqual(
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted(), ["door.key", "door.key_secret"])
        XCTAssertTrue(
            failure { try CurveKeyFile.write(pair, name: "door", folder: folder + "/none") }.contains("No such file"))
    }

    func testASecretThatOthersCanReadIsRefused() throws {
        let text = "curve\n    secret-key = \"\(secretKey)\"\n"
        for mode in [0o640, 0o604, 0o644, 0o660, 0o777, 0o610] {
            let path = try file("open.key_secret", text, mode: mode)
            let message = failure { _ = try CurveKeyFile.keyPair(at: path) }
            XCTAssertTrue(message.contains("others than its owner"), message)
            XCTAssertTrue(message.contains("chmod 600"), message)
        }
        let open = try file("open.key", "curve\n public-key = \"\(publicKey)\"\n", mode: 0o666)
        XCTAssertTrue(failure { _ = try CurveKeyFile.publicKey(at: open) }.contains("everybody may change it"))
    }

    func testFilesAsOthersWriteThem() throws {
        for text in [
            "#  comment\n\nmetadata\n    email = a@b.c\ncurve\n    public-key = \"\(publicKey)\"\n",
            "metadata\n    public-key = \"no key\"\ncurve\n\tpublic-key='\(publicKey)'",
            "curve\r\n    public-key = \"\(publicKey)\"\r\n    secret-key = \"\(secretKey)\"\r\n",
        ] {
            XCTAssertEqual(try CurveKeyFile.publicKey(at: try file("c.key", text)).z85, publicKey, text)
        }
    }

    func testFilesThatHoldNoKey() throws {
        for (text, reason) in [
            ("", "holds no secret key"),
            ("curve\n", "holds no secret key"),
            ("secret-key = \"\(secretKey)\"\n", "holds no secret key"),
            ("curve\n    public-key = \"\(publicKey)\"\n", "holds no secret key"),
            ("curve\n    secret-key = \"\(secretKey.dropLast())\"\n", "40 characters of Z85"),
            ("curve\n    secret-key = \"\(secretKey)", "40 characters of Z85"),
            (
                "curve\n    secret-key = \"\(secretKey)\"\n    secret-key = \"\(secretKey)\"\n",
                "line 3 gives secret-key"
            ),
            ("curve\n    secret-key = \"\(secretKey)\"\n    public-key = \"\(secretKey)\"\n", "does not belong"),
            (String(repeating: "x", count: 70_000), "larger than any key file"),
            ("\u{0}\u{1}\u{FFFD}\n=\n = \n#", "holds no secret key"),
        ] {
            let path = try file("bad.key_secret", text)
            let message = failure { _ = try CurveKeyFile.keyPair(at: path) }
            XCTAssertTrue(message.contains(reason), "\(text.prefix(80)): \(message)")
        }
        XCTAssertTrue(failure { _ = try CurveKeyFile.keyPair(at: folder) }.contains("not a file"))
        XCTAssertTrue(failure { _ = try CurveKeyFile.keyPair(at: folder + "/none") }.contains("No such file"))
        mkfifo(folder + "/pipe", 0o600)
        XCTAssertTrue(failure { _ = try CurveKeyFile.keyPair(at: folder + "/pipe") }.contains("not a file"))
    }

    func testAFolderOfKeysIsWholeOrRefused() throws {
        XCTAssertTrue(failure { _ = try CurveKeyFile.publicKeys(at: folder) }.contains("no file in it ends in .key"))
        let good = try file("good.key", "curve\n    public-key = \"\(publicKey)\"\n")
        _ = try file("good.key_secret", "not looked at")
        _ = try file(".hidden.key", "not looked at")
        XCTAssertEqual(try CurveKeyFile.publicKeys(at: folder).map(\.z85), [publicKey])
        XCTAssertEqual(try CurveKeyFile.publicKeys(at: good).map(\.z85), [publicKey])
        _ = try file("bad.key", "curve\n")
        XCTAssertTrue(
            failure { _ = try CurveKeyFile.publicKeys(at: folder) }.contains("bad.key: it holds no public key"))
        try FileManager.default.removeItem(atPath: folder + "/bad.key")
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder)
        XCTAssertTrue(failure { _ = try CurveKeyFile.publicKeys(at: folder) }.contains("everybody may change it"))
    }
}
