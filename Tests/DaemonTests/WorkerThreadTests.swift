// Threads: what whoever joins one may rely on.

import Daemon
import XCTest

final class WorkerThreadTests: XCTestCase {
    private final class Resource: Sendable {}

    func testWhatTheFunctionHeldIsGoneWhenTheThreadIsJoined() {
        for _ in 0..<2000 {
            let (thread, isAlive) = threadWithAResource()
            XCTAssertTrue(isAlive())
            thread.start()
            thread.join()
            XCTAssertFalse(isAlive())
        }
    }

    func testAThreadRunsOnce() {
        let runs = Monitor(0)
        let thread = WorkerThread(name: "test") { runs.withLock { $0 += 1 } }
        thread.join()
        for _ in 0..<3 {
            thread.start()
            thread.join()
        }
        XCTAssertFalse(thread.isRunning)
        XCTAssertEqual(runs.read { $0 }, 1)
    }

    /// A thread whose function alone holds something, and whether that is still there.
    private func threadWithAResource() -> (thread: WorkerThread, isAlive: () -> Bool) {
        let resource = Resource()
        let thread = WorkerThread(name: "test") { withExtendedLifetime(resource) {} }
        return (thread, { [weak resource] in resource != nil })
    }
}
