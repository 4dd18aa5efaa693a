// Training in the pipeline: whole mini-batches in order, back-pressure, the rest at the end, and stopping at any moment.

import ContrastiveClustering
import Daemon
import Imaging
import StreamProtocol
import XCTest

final class PipelineTrainingTests: XCTestCase {
    func testABlockingSourceIsTakenNoFurtherThanTrainingHasRoom() throws {
        let harness = try PipelineHarness(batchSize: 4, gateOpen: false)
        harness.pipeline.start()
        harness.add(images(0..<40))
        // Four in the step under way, eight in the buffer; while the step lasts no place can become free.
        harness.gate.waitForArrival()
        harness.output.waitForPublished(12)
        XCTAssertEqual(harness.queues.depths[0].images, 28)

        harness.gate.open()
        harness.finish()
        XCTAssertEqual(harness.output.published.map(\.sequence), Array(1...40))
        XCTAssertEqual(harness.trainedBatches.flatMap { $0 }, Array(0..<40), "nothing admitted is left out")
    }

    func testABlockedSourceDoesNotHoldUpAnother() throws {
        let harness = try PipelineHarness(overloads: [.block, .dropNewest], batchSize: 4, gateOpen: false)
        harness.pipeline.start()
        harness.add(images(0..<40, source: "patient"), source: 0)
        harness.gate.waitForArrival()
        harness.output.waitForPublished(12)
        harness.add(images(100..<110, source: "hasty"), source: 1)
        harness.output.waitForPublished(22)
        XCTAssertEqual(harness.output.published.suffix(10).map(\.origin.source), Array(repeating: "hasty", count: 10))
        XCTAssertEqual(harness.pipeline.counters.leftOutBufferFull, 10)

        harness.gate.open()
        harness.finish()
        XCTAssertEqual(harness.pipeline.counters.trained, 40)
        XCTAssertEqual(harness.pipeline.counters.assigned, 50)
    }

    func testTheLearnerIsToldOfTheNextMiniBatchWhereItHasComeWhole() throws {
        let harness = try PipelineHarness(batchSize: 4, gateOpen: false)
        harness.pipeline.start()
        harness.add(images(0..<4))
        harness.gate.waitForArrival()
        // The first step knows of nothing yet. While it lasts two more mini-batches come, and half of one.
        harness.add(images(4..<14))
        harness.output.waitForPublished(12)
        harness.gate.open()
        harness.finish()
        XCTAssertEqual(
            harness.training.trained.map(\.batch), [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13]])
        XCTAssertEqual(harness.training.trained.map(\.next), [[], [8, 9, 10, 11], [], []])
        XCTAssertEqual(harness.pipeline.counters.trained, 14)
    }

    func testARestOfHalfAMiniBatchIsTrainedOn() throws {
        let harness = try PipelineHarness(batchSize: 4)
        harness.pipeline.start()
        harness.add(images(0..<6))
        harness.finish()
        XCTAssertEqual(harness.trainedBatches, [[0, 1, 2, 3], [4, 5]])
        XCTAssertEqual(harness.pipeline.counters.trained, 6)
        XCTAssertEqual(harness.pipeline.counters.leftOutRest, 0)
        XCTAssertEqual(harness.checkpoints.read { $0.map(\.step) }, [2])
    }

    func testASmallerRestIsLeftOutCountedAndNamed() throws {
        let harness = try PipelineHarness(batchSize: 4)
        harness.pipeline.start()
        harness.add(images(0..<5))
        harness.finish()
        XCTAssertEqual(harness.trainedBatches, [[0, 1, 2, 3]])
        XCTAssertEqual(harness.pipeline.counters.leftOutRest, 1)
        XCTAssertEqual(harness.pipeline.counters.assigned, 5)
        XCTAssertTrue(
            harness.log.read { $0 }.contains {
                $0 == "notice: a rest of fewer than half a mini-batch is left out of training batch_size=4 images=1"
            })
    }

    func testOneImageAloneIsNeverTrainedOn() throws {
        // Half of a mini-batch of two, but batch statistics want two images.
        let harness = try PipelineHarness(batchSize: 2)
        harness.pipeline.start()
        harness.add(images(0..<3))
        harness.finish()
        XCTAssertEqual(harness.trainedBatches, [[0, 1]])
        XCTAssertEqual(harness.pipeline.counters.leftOutRest, 1)
    }

    func testDrainingAnIdlePipelineEndsAtOnceAndWritesNothing() throws {
        let harness = try PipelineHarness()
        harness.pipeline.start()
        harness.finish()
        XCTAssertEqual(harness.checkpoints.read { $0.count }, 0)
    }

    func testDrainingTwiceAndWithoutAStartIsHarmless() throws {
        let harness = try PipelineHarness()
        harness.finish()
        let started = try PipelineHarness()
        started.pipeline.start()
        started.pipeline.start()
        started.add(images(0..<4))
        started.finish()
        started.finish()
        XCTAssertEqual(started.output.published.count, 4)
        XCTAssertEqual(started.checkpoints.read { $0.count }, 1)
    }

    func testDrainingWithFullQueuesLosesNothing() throws {
        let harness = try PipelineHarness(batchSize: 4, gateOpen: false)
        harness.add(images(0..<250))
        harness.queues.close()
        harness.pipeline.start()
        harness.gate.waitForArrival()
        harness.gate.open()
        harness.pipeline.drain()
        XCTAssertEqual(harness.output.published.map(\.sequence), Array(1...250))
        XCTAssertEqual(harness.trainedBatches.flatMap { $0 }, Array(0..<250))
        XCTAssertEqual(harness.trainedBatches.last?.count, 2)
    }

    func testLossesAreTheSameAgainAndAfterStopAndResume() throws {
        func run(_ range: Range<Int>, resume: LearnerState? = nil) throws -> (losses: [Float], state: LearnerState?) {
            let harness = try PipelineHarness(batchSize: 8, decoderThreads: 4, resume: resume)
            harness.pipeline.start()
            harness.add(images(range))
            harness.finish()
            return (harness.training.trained.map(\.loss), harness.checkpoints.read { $0.last })
        }
        let whole = try run(0..<160)
        let first = try run(0..<80)
        let second = try run(80..<160, resume: XCTUnwrap(first.state))
        XCTAssertEqual(whole.losses.count, 20)
        XCTAssertEqual(first.losses + second.losses, whole.losses)
        XCTAssertEqual(second.state, whole.state)
    }
}
