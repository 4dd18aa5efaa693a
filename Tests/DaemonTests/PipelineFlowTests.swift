// What becomes of images on their way through the workers: each is answered once, in order, whatever training does.

import ContrastiveClustering
import Daemon
import Imaging
import StreamProtocol
import XCTest

final class PipelineFlowTests: XCTestCase {
    func testEveryImageIsAssignedOnceAndNumberedWithoutHoles() throws {
        let harness = try PipelineHarness(overloads: [.block, .dropOldest])
        harness.pipeline.start()
        harness.add(images(0..<100, source: "a"), source: 0)
        harness.add(images(100..<200, source: "b"), source: 1)
        harness.finish()

        let published = harness.output.published
        XCTAssertEqual(published.map(\.sequence), Array(1...200))
        XCTAssertEqual(Set(published.map(\.epoch)), [harness.pipeline.numbering.read(\.epoch)])
        XCTAssertEqual(Set(harness.publishedIDs), Set((0..<200).map(String.init)))
        XCTAssertEqual(harness.pipeline.numbering.read(\.last), 200)
        XCTAssertEqual(harness.pipeline.counters.assigned, 200)
        for image in published {
            XCTAssertEqual(image.assignment.cluster, Int(image.origin.id!)! / 64)
            XCTAssertGreaterThan(image.published, image.origin.received)
            XCTAssertEqual(image.origin.payload, [], "an assignment does not carry the picture along")
        }
    }

    func testAssigningGoesOnDuringATrainingStep() throws {
        let harness = try PipelineHarness(gateOpen: false)
        harness.pipeline.start()
        harness.add(images(0..<4))
        harness.gate.waitForArrival()
        harness.add(images(4..<8))
        harness.output.waitForPublished(8)
        XCTAssertEqual(harness.pipeline.counters.steps, 0, "the first step is still under way")

        harness.gate.open()
        harness.finish()
        XCTAssertEqual(harness.pipeline.counters.steps, 2)
    }

    func testTheOrderIsKeptHoweverLongAnImageTakesToDecode() throws {
        // Every eighth image is decoded only after the next two have been.
        let decoded = Monitor(Set<Int>())
        let harness = try PipelineHarness(
            batchSize: 16, decoderThreads: 4,
            decode: { (image: IncomingImage) throws(UnreadableImage) in
                let number = Int(image.id!)!
                if number % 8 == 0 {
                    decoded.wait { $0.isSuperset(of: [number + 1, number + 2]) ? .done(()) : .wait(until: nil) }
                }
                decoded.withLock { _ = $0.insert(number) }
                return try decodeGrey(image)
            })
        harness.pipeline.start()
        harness.add(images(0..<128))
        harness.finish()

        XCTAssertEqual(harness.publishedIDs, (0..<128).map(String.init))
        XCTAssertEqual(harness.trainedBatches.flatMap { $0 }, Array(0..<128))
        XCTAssertEqual(harness.trainedBatches.map(\.count), Array(repeating: 16, count: 8))
    }

    func testASlowPictureOfOneSourceDoesNotDelayAnother() throws {
        let gate = Gate(isOpen: false)
        let harness = try PipelineHarness(
            overloads: [.block, .block], decoderThreads: 2,
            decode: { (image: IncomingImage) throws(UnreadableImage) in
                if image.source == "slow" { gate.pass() }
                return try decodeGrey(image)
            })
        harness.pipeline.start()
        harness.add(images(0..<1, source: "slow"), source: 0)
        gate.waitForArrival()
        harness.add(images(1..<5, source: "quick"), source: 1)
        harness.output.waitForPublished(4)
        gate.open()
        harness.finish()
        XCTAssertEqual(harness.publishedIDs, ["1", "2", "3", "4", "0"])
    }

    func testNothingIsLeftOfAPipelineThatHasEnded() throws {
        weak var queues: IngressQueues?
        do {
            let harness = try PipelineHarness()
            queues = harness.queues
            harness.pipeline.start()
            harness.add(images(0..<4))
            harness.finish()
        }
        XCTAssertNil(queues)
    }

    func testAnUnreadableImageIsRejectedAndGivesItsPlaceInTrainingBack() throws {
        // More unreadable images than the training buffer has places.
        let harness = try PipelineHarness(batchSize: 4)
        harness.pipeline.start()
        harness.add((0..<20).map { unreadable(id: "bad\($0)") })
        harness.add(images(0..<4))
        harness.finish()

        XCTAssertEqual(
            harness.output.rejected,
            (0..<20).map { MemoryOutput.Rejection(source: "cam", id: "bad\($0)", reason: "not-an-image") })
        XCTAssertEqual(harness.output.published.map(\.sequence), [1, 2, 3, 4])
        XCTAssertEqual(harness.trainedBatches, [[0, 1, 2, 3]])
    }

    func testAssignmentsUseWhatHasBeenLearnt() throws {
        let harness = try PipelineHarness(batchSize: 4)
        harness.pipeline.start()
        // Answered before there is a mini-batch to learn from.
        harness.add(images(0..<3))
        harness.output.waitForPublished(3)
        harness.add(images(3..<12))
        harness.output.waitForPublished(12)
        // The third step's weights reach the assigner although it has been idle since before that step.
        XCTAssertTrue(harness.pipeline.serving.wait { $0.step == 3 })
        harness.add(images(12..<13))
        harness.finish()
        XCTAssertEqual(harness.output.published.last?.step, 3)
        XCTAssertEqual(harness.output.published.first?.step, 0)
    }

    func testLabelsAreCountedAgainstClusters() throws {
        let harness = try PipelineHarness()
        harness.pipeline.start()
        harness.add([
            grey(10, label: .text("dark")), grey(20, label: .text("dark")), grey(250, label: .number(7)), grey(100),
        ])
        harness.finish()
        XCTAssertEqual(harness.pipeline.agreement.total.counts, [[2, 0, 0, 0], [0, 0, 0, 1]])
        XCTAssertEqual(harness.pipeline.agreement.takeRecent().images, 3)
        XCTAssertEqual(harness.pipeline.agreement.takeRecent().images, 0)
    }
}
