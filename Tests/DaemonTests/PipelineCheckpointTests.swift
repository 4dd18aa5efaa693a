// Checkpoints as the trainer makes them: when due, never in training's way, tried again after a failure.

import ContrastiveClustering
import Daemon
import Imaging
import StreamProtocol
import XCTest

final class PipelineCheckpointTests: XCTestCase {
    func testACheckpointIsWrittenEverySoManyStepsAndAtTheEnd() throws {
        let harness = try PipelineHarness(batchSize: 2, schedule: .init(everySteps: 4, everySeconds: 1000))
        harness.pipeline.start()
        // One interval at a time, since a checkpoint that is due while another is being written waits.
        for start in stride(from: 0, to: 16, by: 8) {
            harness.add(images(start..<start + 8))
            harness.checkpoints.wait { $0.count == start / 8 + 1 ? .done(()) : .wait(until: nil) }
        }
        harness.add(images(16..<20))
        harness.finish()
        XCTAssertEqual(harness.checkpoints.read { $0.map(\.step) }, [4, 8, 10])
    }

    func testACheckpointIsWrittenAfterSoManySecondsThoughNoImageComes() throws {
        let harness = try PipelineHarness(batchSize: 2, schedule: .init(everySteps: 1000, everySeconds: 0.05))
        harness.pipeline.start()
        harness.add(images(0..<2))
        harness.checkpoints.wait { $0.count == 1 ? .done(()) : .wait(until: nil) }
        harness.finish()
        XCTAssertEqual(
            harness.checkpoints.read { $0.map(\.step) }, [1], "without a further step there is no further one")
    }

    func testTrainingDoesNotWaitForTheDisk() throws {
        let disk = Gate(isOpen: false)
        let harness = try PipelineHarness(
            batchSize: 2, schedule: .init(everySteps: 1, everySeconds: 1000),
            write: { _ in
                disk.pass()
                return true
            })
        harness.pipeline.start()
        harness.add(images(0..<2))
        disk.waitForArrival()
        harness.add(images(2..<20))
        harness.training.waitForTrained(10)
        XCTAssertEqual(harness.checkpoints.read { $0.count }, 0)
        disk.open()
        harness.finish()
        XCTAssertEqual(harness.checkpoints.read { $0.first?.step }, 1)
        XCTAssertEqual(harness.checkpoints.read { $0.last?.step }, 10)
    }

    func testAFailedWriteIsTriedAgainAndTrainingGoesOn() throws {
        let attempts = Monitor(0)
        let harness = try PipelineHarness(
            batchSize: 2, schedule: .init(everySteps: 1, everySeconds: 1000, retrySeconds: 0.01),
            write: { _ in
                attempts.withLock { count in
                    count += 1
                    return count > 2
                }
            })
        harness.pipeline.start()
        harness.add(images(0..<2))
        harness.checkpoints.wait { $0.count == 1 ? .done(()) : .wait(until: nil) }
        XCTAssertEqual(attempts.read { $0 }, 3)
        harness.add(images(2..<4))
        harness.finish()
        XCTAssertEqual(harness.checkpoints.read { $0.map(\.step) }, [1, 2])
        XCTAssertFalse(harness.pipeline.lastCheckpointFailed)
    }

    func testAWriteThatFailsAtTheEndIsKnown() throws {
        let harness = try PipelineHarness(batchSize: 2, write: { _ in false })
        harness.pipeline.start()
        harness.add(images(0..<2))
        harness.finish()
        XCTAssertTrue(harness.pipeline.lastCheckpointFailed)
    }

    func testAStepWithoutFiniteLossesIsNotHandedOn() throws {
        let harness = try PipelineHarness(
            batchSize: 2, schedule: .init(everySteps: 1, everySeconds: 1000), brokenSteps: [1])
        harness.pipeline.start()
        harness.add(images(0..<2))
        harness.finish()
        XCTAssertEqual(harness.checkpoints.read { $0.count }, 0)
        XCTAssertEqual(harness.output.published.count, 2)
        XCTAssertTrue(harness.log.read { $0 }.contains { $0.contains("not finite") })
    }

    func testRepeatedBrokenStepsTakeTheLastGoodCheckpointBack() throws {
        let good = BrightnessLearner().exportState()
        let harness = try PipelineHarness(batchSize: 2, brokenSteps: [2, 3, 4], lastGood: good)
        harness.pipeline.start()
        harness.add(images(0..<10))
        harness.finish()
        // Step 1, three broken ones, then step 1 again from the last good state.
        XCTAssertEqual(harness.training.trained.count, 5)
        XCTAssertEqual(harness.checkpoints.read { $0.map(\.step) }, [1])
        XCTAssertTrue(harness.log.read { $0 }.contains { $0.contains("went back to the last good checkpoint") })
    }
}
