// Who may look and who may act.

import HTTPTestClient
import StreamProtocol
import XCTest

import StatusPage

final class DoorTests: XCTestCase {
    private let action = ["X-Clusterd-Action": "save"]

    func testWithoutATokenOnlyNamesOfThisMachineAreServed() throws {
        let running = try RunningServer()
        for host in ["127.0.0.1", "127.0.0.1:8080", "127.1.2.3:1", "localhost", "LOCALHOST:9", "[::1]", "[::1]:80"] {
            XCTAssertEqual(try running.ask("GET", "/", host: host).status, 200, host)
        }
        // A name of anybody's can be made to point here: DNS rebinding.
        for host in [
            "evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1:x",
            "0.0.0.0",
            "10.0.0.1", "", "localhost:", "127.0.0.256",
        ] {
            for path in ["/", "/events", "/api/map", "/pictures/7", "/api/save"] {
                XCTAssertEqual(try running.ask("GET", path, host: host).status, 421, "\(host) \(path)")
            }
        }
    }

    func testAnActionIsDone() throws {
        let running = try RunningServer()
        for name in ["save", "rollback", "pause", "resume"] {
            let answer = try running.ask("POST", "/api/\(name)", action)
            XCTAssertEqual(answer.status, 200, name)
            XCTAssertEqual(answer.text, #"{"ok":true,"done":true}"#)
        }
        let fields = action.merging([
            "Content-Type": "application/json", "Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin",
        ]) { $1 }
        let reload = try running.ask("POST", "/api/reload", fields, body: #"{"id":"step-1","path":"/etc/passwd"}"#)
        XCTAssertEqual(reload.status, 200)
        XCTAssertEqual(
            running.source.performed,
            ["save", "rollback", "pause", "resume"].map { ControlRequest($0) } + [
                ControlRequest("reload", ["id": .string("step-1")])
            ])
    }

    func testOtherSitesCannotAct() throws {
        let running = try RunningServer()
        XCTAssertEqual(try running.ask("POST", "/api/save").status, 403, "a form's request")
        for fields in [
            ["Origin": "http://evil.example"], ["Origin": "null"], ["Origin": "http://127.0.0.1:9"],
            ["Origin": "http://localhost"], ["Sec-Fetch-Site": "cross-site"], ["Sec-Fetch-Site": "same-site"],
        ] {
            XCTAssertEqual(try running.ask("POST", "/api/save", action.merging(fields) { $1 }).status, 403, "\(fields)")
        }
        // A browser asks before another site's script may send the field; nobody says yes.
        XCTAssertEqual(try running.ask("OPTIONS", "/api/save", ["Origin": "http://evil.example"]).status, 405)
        XCTAssertEqual(try running.ask("GET", "/api/save", action).status, 405)
        XCTAssertEqual(running.source.performed, [])
    }

    func testReloadsNameACheckpoint() throws {
        let running = try RunningServer()
        let json = action.merging(["Content-Type": "application/json"]) { $1 }
        for body in ["", "{}", "{\"path\":\"/x\"}", "{\"id\":3}", "[", "[]"] {
            XCTAssertEqual(try running.ask("POST", "/api/reload", json, body: body).status, 400, body)
        }
        XCTAssertEqual(try running.ask("POST", "/api/reload", action, body: "{\"id\":\"a\"}").status, 400)
        XCTAssertEqual(running.source.performed, [])
    }

    func testWhatFailsHasItsStatusAndItsReason() throws {
        let running = try RunningServer()
        for (code, status) in [
            (ControlFailure.Code.refused, 409), (.notFound, 404), (.unavailable, 503), (.failed, 500),
            (.invalidArgument, 400),
        ] {
            running.source.state.withLock { $0.answer = ControlFailure(code, "since \"so\"").frames }
            let answer = try running.ask("POST", "/api/save", action)
            XCTAssertEqual(answer.status, status, code.rawValue)
            XCTAssertTrue(answer.text.contains(#"since \"so\""#), answer.text)
        }
    }

    func testWithATokenItIsWantedOfEverybody() throws {
        let token = "correct-horse-battery"
        let running = try RunningServer(token: token, metrics: { "" })
        let paths = ["/", "/app.js", "/events", "/api/map", "/pictures/7", "/metrics"]
        for shown in [
            nil, "Bearer wrong-horse-batterie", "Bearer ", "Bearer correct-horse-batter",
            "Bearer correct-horse-batteryy",
            "Basic %%%", "Basic Og==", "Basic OmNvcnJlY3QtaG9yc2U=", "Digest x",
        ] {
            for path in paths {
                let answer = try running.ask("GET", path, shown.map { ["Authorization": $0] } ?? [:])
                XCTAssertEqual(answer.status, 401, "\(shown ?? "nothing") \(path)")
                XCTAssertEqual(answer.fields["www-authenticate"]?.hasPrefix("Basic "), true)
            }
        }
        // printf 'anyone:correct-horse-battery' | base64
        for shown in ["Bearer \(token)", "bearer \(token)", "Basic YW55b25lOmNvcnJlY3QtaG9yc2UtYmF0dGVyeQ=="] {
            for path in paths where path != "/events" {
                let answer = try running.ask("GET", path, host: "cams.example", ["Authorization": shown])
                XCTAssertEqual(answer.status, 200, "\(shown) \(path)")
            }
            let fields = action.merging(["Authorization": shown]) { $1 }
            XCTAssertEqual(try running.ask("POST", "/api/save", host: "cams.example", fields).status, 200)
            // A password that a browser keeps is sent by other sites' forms too.
            XCTAssertEqual(try running.ask("POST", "/api/save", ["Authorization": shown]).status, 403)
        }
        XCTAssertEqual(try running.ask("POST", "/api/save", action).status, 401)
    }
}
