// The page of a real daemon, over real sockets: what is sent to it is seen there, and its buttons do what they say.

import Daemon
import Foundation
import Imaging
import StreamProtocol
import XCTest
import ZeroMQ

final class PageTests: XCTestCase {
    private func running(folder: TemporaryFolder? = nil, change: (inout Configuration) -> Void = { _ in }) throws -> (
        RunningService, String
    ) {
        let running = try RunningService(folder: folder) { configuration in
            configuration.httpListen = "127.0.0.1:0"
            change(&configuration)
        }
        return (running, try running.page())
    }

    private func json(_ address: String) throws -> [String: JSON] {
        try XCTUnwrap(try JSON(parsing: try askPage(address).body).members)
    }

    private func send(_ running: RunningService, _ count: Int, label: String? = nil) throws {
        var sender = try running.sender()
        for index in 0..<count {
            let message = ImageMessage(
                source: "cam", id: "p\(index)", label: label.map { .text($0) }, encoding: .file(format: nil),
                payload: Pictures.jpeg)
            try sender.send(message.frames)
        }
        for _ in 0..<count { _ = try running.next() }
    }

    func testWhatIsSentIsSeen() throws {
        let (running, page) = try running()
        XCTAssertEqual(try askPage(page).status, 200)
        try send(running, 8)
        // The picture is made small on a thread of its own.
        running.service.waitUntilWarm()
        var points: [JSON] = []
        let deadline = MonotonicTime.now.advanced(bySeconds: 10)
        while points.isEmpty, MonotonicTime.now < deadline {
            usleep(100_000)
            points = try json(page + "api/map")["points"]?.elements ?? []
        }
        let events = try PageEvents(page)
        let pictures = try XCTUnwrap(try events.next("pictures")["clusters"]?.members)
        let first = try XCTUnwrap(pictures.values.first?.elements?.first?.members)
        XCTAssertEqual(first["source"]?.text, "cam")
        XCTAssertEqual(first["name"]?.text?.hasPrefix("p"), true)
        let id = try XCTUnwrap(first["id"]?.text)
        let file = try askPage(page + "pictures/\(id)")
        let picture = try ImageDecoder().decode(file.body)
        XCTAssertLessThanOrEqual(picture.pixels.count, 96 * 96 * 3)
        let status = try events.next("status")
        XCTAssertEqual(status["assigning"]?.members?["images"]?.integer(as: Int.self), 8)
        XCTAssertEqual(status["ready"], .bool(true))
        XCTAssertGreaterThan(try XCTUnwrap(status["latency"]?.members?["median"]?.double), 0)
        XCTAssertNotNil(status["sources"]?.members?["cam"])
    }

    func testButtonsDoWhatTheOperationsDo() throws {
        let (running, page) = try running()
        let action = ["X-Clusterd-Action": "yes"]
        XCTAssertEqual(try askPage(page + "api/pause", "POST").status, 403)
        XCTAssertEqual(try askPage(page + "api/pause", "POST", action).status, 200)
        let events = try PageEvents(page)
        XCTAssertEqual(try events.next("status")["training"]?.members?["paused"], .bool(true))
        XCTAssertEqual(try askPage(page + "api/resume", "POST", action).status, 200)
        try send(running, 4)
        XCTAssertEqual(try askPage(page + "api/save", "POST", action).status, 200)
        let list = try XCTUnwrap(try json(page + "api/checkpoints")["checkpoints"]?.elements)
        let id = try XCTUnwrap(list.first?.members?["id"]?.text)
        let rollback = try askPage(page + "api/rollback", "POST", action)
        XCTAssertEqual(rollback.status, 409, String(decoding: rollback.body, as: UTF8.self))
        let json = action.merging(["Content-Type": "application/json"]) { $1 }
        let reload = try askPage(page + "api/reload", "POST", json, body: #"{"id":"\#(id)"}"#)
        XCTAssertEqual(reload.status, 200, String(decoding: reload.body, as: UTF8.self))
        XCTAssertEqual(try askPage(page + "api/reload", "POST", json, body: #"{"id":"step-9"}"#).status, 404)
    }

    func testReadinessFollowsTheDaemon() throws {
        let (running, page) = try running()
        running.service.waitUntilWarm()
        XCTAssertEqual(try askPage(page + "readyz").status, 200)
        XCTAssertEqual(try askPage(page + "healthz").status, 200)
        XCTAssertTrue(
            String(decoding: try askPage(page + "metrics").body, as: UTF8.self).contains("\nclusterd_ready 1\n"))
        running.service.stop()
        XCTAssertThrowsError(try askPage(page + "readyz"))
    }

    func testATokenIsReadFromItsFile() throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/token"
        XCTAssertTrue(
            FileManager.default.createFile(
                atPath: file, contents: Data("correct-horse-battery\n".utf8), attributes: [.posixPermissions: 0o600]))
        let (running, page) = try running { $0.httpTokenFile = file }
        XCTAssertEqual(try askPage(page).status, 401)
        XCTAssertEqual(try askPage(page, "GET", ["Authorization": "Bearer correct-horse-battery"]).status, 200)
        withExtendedLifetime(running) {}
    }

    func testTokensThatAreOfNoUse() throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/token"
        func mistake(_ content: String, _ mode: Int) -> String? {
            try? FileManager.default.removeItem(atPath: file)
            _ = FileManager.default.createFile(
                atPath: file, contents: Data(content.utf8), attributes: [.posixPermissions: mode])
            do {
                _ = try ConfigurationLoader.load(assignments: ["http.token_file=\(file)"])
                return nil
            } catch {
                return error.mistakes.map(\.description).joined()
            }
        }
        XCTAssertNil(mistake("0123456789abcdef\n", 0o600))
        XCTAssertNil(mistake("0123456789abcdef", 0o640))
        XCTAssertEqual(mistake("0123456789abcdef\n", 0o644)?.contains("everybody can read"), true)
        for content in [
            "", "short\n", "two words of a token\n", "\n0123456789abcdef", String(repeating: "x", count: 300),
        ] {
            XCTAssertEqual(mistake(content, 0o600)?.contains("a token is a line of"), true, content)
        }
    }

    func testWhereThePageIsServed() throws {
        func mistakes(_ settings: String...) -> [String] {
            do {
                _ = try ConfigurationLoader.load(assignments: settings)
                return []
            } catch {
                return error.mistakes.map(\.description)
            }
        }
        XCTAssertEqual(mistakes("http.listen=off"), [])
        XCTAssertEqual(mistakes("http.listen=127.0.0.1:0"), [])
        XCTAssertEqual(mistakes("http.listen=0.0.0.0:80").count, 2)
        XCTAssertEqual(mistakes("http.listen=0.0.0.0:80", "allow_plaintext=true").count, 1)
        XCTAssertEqual(mistakes("http.listen=127.0.0.1:5555").count, 1)
        XCTAssertEqual(mistakes("http.listen=nonsense").count, 1)
    }

    func testAPortThatIsTakenIsNamedAndNothingRuns() throws {
        let (running, page) = try running()
        let taken = String(page.dropFirst("http://".count).dropLast())
        XCTAssertThrowsError(try RunningService { $0.httpListen = taken }) {
            XCTAssertTrue("\($0)".contains("cannot listen at \(taken)"), "\($0)")
        }
        withExtendedLifetime(running) {}
    }
}
