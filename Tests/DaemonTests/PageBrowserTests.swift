// The page in a real browser, with a real daemon behind it and two feeds that stream in: Fashion-MNIST and coloured shapes; and
// the page of a replica.

import Daemon
import Foundation
import HTTPTestClient
import XCTest

final class PageBrowserTests: XCTestCase {
    private static let fashion = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz"

    func testThePageInABrowser() throws {
        let folder = try TemporaryFolder()
        let state = try TemporaryFolder()
        let settings = ["train.batch_size=16"]
        var daemon = try TestProcess.serve(state, set: settings)
        let page = try XCTUnwrap(daemon.logged("address", with: "serving the page"))
        let endpoint = try XCTUnwrap(daemon.logged("endpoint", with: "source=queue"))
        let replica = try TestProcess.serve(
            try TemporaryFolder(),
            set: [
                "mode=replica", "replica.subscribe=\(try XCTUnwrap(daemon.logged("endpoint", with: "publishing")))",
                "replica.control=\(try XCTUnwrap(daemon.logged("endpoint", with: "answering control")))",
            ])
        let shapes = try python("coloured_shapes.py", [folder.path, "400"])
        XCTAssertEqual(shapes.wait(), 0, shapes.errors.read { $0.lines.joined(separator: "\n") })
        var sources = [("colours", folder.path)]
        guard FileManager.default.fileExists(atPath: Self.fashion) else {
            throw missing("Debian's dataset-fashion-mnist is not installed")
        }
        sources.append(("fashion", Self.fashion))
        // Less than can be trained on, so that checkpoints and reloads need not wait for training all the time.
        let feeds = try sources.map { name, path in
            try TestProcess.clusterd([
                "feed", "--labels", "--shuffle", "--loop", "1000", "--rate", "12", "--name", name, "--to", endpoint,
                path,
            ])
        }
        defer { for feed in feeds { feed.signal(SIGKILL) } }

        let screenshots = ProcessInfo.processInfo.environment["CLUSTERD_PAGE_SCREENSHOTS"].map { [$0] } ?? []
        let pages = [
            page, endpoint, try XCTUnwrap(replica.logged("address", with: "serving the page")),
            try XCTUnwrap(replica.logged("endpoint", with: "source=queue")),
        ]
        let browser = try python("page_browser.py", pages + screenshots)
        if !said("look", browser) {
            let code = browser.wait()
            let errors = browser.errors.read { $0.lines.joined(separator: "\n") }
            if code == 77 { throw missing(errors) }
            return XCTFail(errors)
        }
        daemon.signal(SIGTERM)
        XCTAssertEqual(daemon.wait(), 0)
        browser.input.write(Data("\n".utf8))
        XCTAssertTrue(said("gone", browser), "the page does not say that the daemon is gone")
        // Where it was, so that page and feeds find it again.
        let address = page.dropFirst("http://".count).dropLast()
        daemon = try TestProcess.serve(
            state, set: settings + ["http.listen=\(address)", "sources.queue.endpoint=\(endpoint)"])
        XCTAssertEqual(daemon.logged("address", with: "serving the page"), page)
        browser.input.write(Data("\n".utf8))
        XCTAssertEqual(browser.wait(), 0, browser.errors.read { $0.lines.joined(separator: "\n") })
        XCTAssertEqual(browser.output.read { $0.lines.last }, "done")
        daemon.signal(SIGTERM)
        XCTAssertEqual(daemon.wait(), 0)
    }

    /// Whether the browser's program comes to say a word before it ends.
    private func said(_ word: String, _ browser: TestProcess) -> Bool {
        let deadline = MonotonicTime.now.advanced(bySeconds: 600)
        return browser.output.wait { output in
            if output.lines.contains(word) { return .done(true) }
            return output.isClosed || MonotonicTime.now >= deadline ? .done(false) : .wait(until: deadline)
        }
    }
}
