// Starts the Python programs of the folder clients.

import Foundation
import XCTest

extension XCTestCase {
    /// Starts a script with the Python that `CLUSTERD_TEST_PYTHON` names; it has the modules of deploy/test-requirements.txt.
    func python(_ script: String, _ arguments: [String]) throws -> TestProcess {
        guard let python = ProcessInfo.processInfo.environment["CLUSTERD_TEST_PYTHON"] else {
            throw missing(
                "CLUSTERD_TEST_PYTHON does not name a Python with the modules of deploy/test-requirements.txt")
        }
        let clients = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("clients")
        return try TestProcess(python, [clients.appendingPathComponent(script).path] + arguments)
    }

    /// Starts a sender of vidgear's NetGear and waits for its first send to return.
    ///
    /// - Parameters:
    ///   - count: how many pictures; 0 is until its standard input is closed.
    ///   - options: NetGear's, as JSON.
    func netGear(
        _ endpoint: String, pattern: Int, kind: String = "raw", count: Int, pause: Double = 0, options: String = "{}"
    ) throws -> TestProcess {
        let sender = try python(
            "netgear_sender.py", [endpoint, "\(pattern)", kind, "\(count)", "\(pause)", options])
        if sender.lines(1).isEmpty, sender.wait() == 77 {
            throw missing("a module is missing: \(sender.errors.read { $0.lines })")
        }
        return sender
    }

    /// A picture's file in `folder`.
    func jpegFile(in folder: TemporaryFolder) throws -> String {
        let path = folder.path + "/picture.jpg"
        try Data(Pictures.jpeg).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// What a test throws that cannot run without `what`: it is skipped, but in continuous integration it fails.
    func missing(_ what: String) -> any Error {
        guard ProcessInfo.processInfo.environment["CI"] == "true" else { return XCTSkip(what) }
        XCTFail(what)
        return CocoaError(.fileNoSuchFile)
    }
}
