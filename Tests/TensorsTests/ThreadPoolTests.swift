// The thread pool: every task once, whatever the number of threads and however often.

import Dispatch
import Foundation
import Synchronization
import Tensors
import XCTest

final class ThreadPoolTests: XCTestCase {
    func testEveryTaskRunsExactlyOnce() {
        for threads in [1, 2, 3, 5] {
            let pool = ThreadPool(threads: threads)
            for count in [0, 1, 2, 7, 100] {
                nonisolated(unsafe) let runs = UnsafeMutablePointer<Int32>.allocate(capacity: count + 1)
                runs.initialize(repeating: 0, count: count + 1)
                defer { runs.deallocate() }
                pool.run(count) { task, thread in
                    XCTAssertTrue((0..<threads).contains(thread))
                    runs[task] += 1
                }
                for task in 0..<count {
                    XCTAssertEqual(runs[task], 1, "task \(task) of \(count) on \(threads) threads")
                }
            }
        }
    }

    func testManyShortLoopsInARow() {
        let pool = ThreadPool(threads: 2)
        let total = Atomic<Int>(0)
        for _ in 0..<20_000 { pool.run(3) { task, _ in total.add(task, ordering: .relaxed) } }
        XCTAssertEqual(total.load(ordering: .relaxed), 60_000)
    }

    func testALoopGoesOnWithoutItsCaller() {
        let pool = ThreadPool(threads: 2, niceness: 5)
        for round in 1...100 {
            let done = DispatchSemaphore(value: 0)
            pool.begin(3) { _, thread in
                XCTAssertEqual(thread, 1)
                done.signal()
            }
            for _ in 0..<3 { XCTAssertEqual(done.wait(timeout: .now() + 60), .success, "round \(round)") }
            pool.finish()
        }
    }

    func testTheCallerTakesPartAtTheEnd() {
        let alone = ThreadPool(threads: 1), total = Atomic<Int>(0)
        alone.begin(5) { task, _ in total.add(task, ordering: .relaxed) }
        XCTAssertEqual(total.load(ordering: .relaxed), 0)
        alone.finish()
        XCTAssertEqual(total.load(ordering: .relaxed), 10)

        let pool = ThreadPool(threads: 3)
        for _ in 0..<1_000 {
            pool.begin(20) { task, _ in total.add(task, ordering: .relaxed) }
            pool.finish()
        }
        XCTAssertEqual(total.load(ordering: .relaxed), 10 + 190_000)
    }

    func testTwoPoolsSideBySide() {
        let total = Atomic<Int>(0)
        let threads = (0..<2).map { _ in
            Thread {
                let pool = ThreadPool(threads: 2, niceness: 5)
                for _ in 0..<2_000 { pool.run(4) { task, _ in total.add(task, ordering: .relaxed) } }
                total.add(1, ordering: .relaxed)
            }
        }
        threads.forEach { $0.start() }
        while !threads.allSatisfy(\.isFinished) { usleep(1_000) }
        XCTAssertEqual(total.load(ordering: .relaxed), 2 * (2_000 * 6 + 1))
    }

    func testProcessorCountIsAtLeastOne() { XCTAssertGreaterThanOrEqual(ThreadPool.processorCount, 1) }
}
