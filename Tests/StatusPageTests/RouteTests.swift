// What is answered to what, by a real server.

import Foundation
import HTTPTestClient
import StreamProtocol
import XCTest

import StatusPage

final class RouteTests: XCTestCase {
    func testEveryFileOfThePageIsServedAsItIs() throws {
        let running = try RunningServer()
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Sources/StatusPage/Page").standardizedFileURL
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !$0.hasPrefix(".") }
        XCTAssertEqual(Set(names.map { $0 == "index.html" ? "/" : "/\($0)" }), Set(Asset.all.keys))
        for name in names {
            let answer = try running.ask("GET", name == "index.html" ? "/" : "/\(name)")
            XCTAssertEqual(answer.status, 200, name)
            XCTAssertEqual(Data(answer.body), try Data(contentsOf: folder.appendingPathComponent(name)), name)
            XCTAssertEqual(answer.fields["x-content-type-options"], "nosniff", name)
        }
    }

    func testABrowserIsToldToRunNothingElse() throws {
        let running = try RunningServer()
        for path in ["/", "/app.js", "/api/map", "/nothing", "/healthz", "/pictures/7"] {
            let policy = try running.ask("GET", path).fields["content-security-policy"] ?? ""
            XCTAssertTrue(policy.contains("default-src 'none'; script-src 'self'"), path)
            XCTAssertFalse(policy.contains("unsafe"), path)
        }
        // What such a policy would keep from working.
        let page = try running.ask("GET", "/").text
        for forbidden in [" style=", " onclick", "<style", "javascript:", "http://", "https://"] {
            XCTAssertFalse(page.contains(forbidden), forbidden)
        }
        for (path, asset) in Asset.all where path.hasSuffix(".js") {
            let text = String(decoding: asset.body, as: UTF8.self)
            for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
                XCTAssertFalse(text.contains(forbidden), "\(path) has \(forbidden)")
            }
        }
    }

    func testAFileThatIsKnownIsNotSentAgain() throws {
        let running = try RunningServer()
        let tag = try XCTUnwrap(try running.ask("GET", "/app.js").fields["etag"])
        let again = try running.ask("GET", "/app.js", ["If-None-Match": "\"other\", \(tag)"])
        XCTAssertEqual(again.status, 304)
        XCTAssertEqual(again.body, [])
        XCTAssertEqual(try running.ask("GET", "/app.js", ["If-None-Match": "\"other\""]).status, 200)
    }

    func testMethodsAndPathsThatThereAreNot() throws {
        let running = try RunningServer()
        for path in [
            "/nothing", "/api/nothing", "/api/", "/pictures/8", "/pictures/x", "/../app.js", "/%2e", "/metrics",
        ] {
            XCTAssertEqual(try running.ask("GET", path).status, 404, path)
        }
        for path in ["/", "/api/map", "/api/checkpoints", "/events", "/healthz", "/pictures/7"] {
            let answer = try running.ask("POST", path, ["X-Clusterd-Action": "1"])
            XCTAssertEqual(answer.status, 405, path)
            XCTAssertEqual(answer.fields["allow"], "GET, HEAD", path)
        }
        let head = try running.ask("HEAD", "/app.js")
        XCTAssertEqual(head.status, 200)
        XCTAssertEqual(head.fields["content-length"], "\(Asset.all["/app.js"]?.body.count ?? 0)")
    }

    func testDocumentsAndPictures() throws {
        let running = try RunningServer()
        XCTAssertEqual(try running.ask("GET", "/api/map").text, #"{"which":"map"}"#)
        XCTAssertEqual(try running.ask("GET", "/api/labels").text, #"{"which":"labels"}"#)
        let picture = try running.ask("GET", "/pictures/7")
        XCTAssertEqual(picture.body, [0xFF, 0xD8, 1, 2])
        XCTAssertEqual(picture.fields["content-type"], "image/jpeg")
        XCTAssertEqual(try running.ask("GET", "/api/checkpoints").text, #"{"ok":true,"done":true}"#)
        XCTAssertEqual(running.source.performed, [ControlRequest("checkpoints")])
    }

    func testHealthIsToldToWhoeverAsks() throws {
        for token in [nil, "0123456789abcdef"] {
            let running = try RunningServer(token: token)
            XCTAssertEqual(try running.ask("GET", "/healthz", host: "pod.cluster.local").status, 200)
            XCTAssertEqual(try running.ask("GET", "/readyz").text, "ok\n")
            running.source.state.withLock {
                $0.isReady = false
                $0.illness = "training hangs"
            }
            XCTAssertEqual(try running.ask("GET", "/readyz").status, 503)
            let ill = try running.ask("GET", "/healthz")
            XCTAssertEqual(ill.status, 503)
            XCTAssertEqual(ill.text, "training hangs\n")
        }
    }

    func testMetricsAreWhatTheyAreGiven() throws {
        let running = try RunningServer(metrics: { "clusterd_up 1\n" })
        let answer = try running.ask("GET", "/metrics")
        XCTAssertEqual(answer.text, "clusterd_up 1\n")
        XCTAssertEqual(answer.fields["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        XCTAssertEqual(try running.ask("GET", "/metrics", host: "evil.example").status, 421)
    }
}
