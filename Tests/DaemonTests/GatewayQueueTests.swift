// The queues between the Gateway and the decoding workers, without sockets.

import Daemon
import StreamProtocol
import XCTest

final class GatewayQueueTests: XCTestCase {
    private func image(_ number: Int, bytes: Int = 1, source: String = "cam") -> IncomingImage {
        IncomingImage(
            source: source, sequence: UInt64(number), received: 0, encoding: .file(format: nil),
            payload: [UInt8](repeating: 0, count: bytes))
    }

    private func source(_ overload: SourceSettings.Overload) -> SourceSettings {
        SourceSettings(name: "source", endpoint: "inproc://unused", overload: overload)
    }

    private func numbers(_ images: [IncomingImage]) -> [UInt64] { images.compactMap(\.sequence) }

    private func drain(_ queue: inout IngressQueue) -> [UInt64] {
        var images: [IncomingImage] = []
        while let image = queue.take() { images.append(image) }
        return numbers(images)
    }

    func testDropOldestKeepsTheLastImages() {
        var queue = IngressQueue(
            overload: .dropOldest, limits: QueueLimits(maxImages: 3, maxBytes: 100), largestImage: 100)
        let dropped = (1...10).flatMap { queue.offer(image($0)).dropped }
        XCTAssertEqual(numbers(dropped.map(\.image)), [1, 2, 3, 4, 5, 6, 7])
        XCTAssertTrue(dropped.allSatisfy { $0.reason == .droppedOldest })
        XCTAssertEqual(drain(&queue), [8, 9, 10])
    }

    func testDropNewestKeepsTheFirstImages() {
        var queue = IngressQueue(
            overload: .dropNewest, limits: QueueLimits(maxImages: 3, maxBytes: 100), largestImage: 100)
        let dropped = (1...10).flatMap { queue.offer(image($0)).dropped }
        XCTAssertEqual(numbers(dropped.map(\.image)), [4, 5, 6, 7, 8, 9, 10])
        XCTAssertTrue(dropped.allSatisfy { $0.reason == .droppedNewest })
        XCTAssertEqual(drain(&queue), [1, 2, 3])
    }

    func testBytesAreBoundedToo() {
        var queue = IngressQueue(
            overload: .dropOldest, limits: QueueLimits(maxImages: 100, maxBytes: 100), largestImage: 100)
        XCTAssertTrue(queue.offer(image(1, bytes: 40)).dropped.isEmpty)
        XCTAssertTrue(queue.offer(image(2, bytes: 60)).dropped.isEmpty)
        XCTAssertEqual(queue.byteCount, 100)
        XCTAssertEqual(numbers(queue.offer(image(3, bytes: 1)).dropped.map(\.image)), [1])
        XCTAssertEqual(numbers(queue.offer(image(4, bytes: 100)).dropped.map(\.image)), [2, 3])
        XCTAssertEqual(drain(&queue), [4])
        XCTAssertEqual(queue.byteCount, 0)
    }

    func testABlockingQueueHasRoomOnlyForTheLargestImage() {
        var queue = IngressQueue(
            overload: .block, limits: QueueLimits(maxImages: 3, maxBytes: 100), largestImage: 60)
        XCTAssertTrue(queue.offer(image(1, bytes: 40)).dropped.isEmpty)
        XCTAssertTrue(queue.hasRoom)
        XCTAssertTrue(queue.offer(image(2, bytes: 1)).dropped.isEmpty)
        XCTAssertFalse(queue.hasRoom)
        XCTAssertEqual(queue.take()?.sequence, 1)
        XCTAssertTrue(queue.hasRoom)
    }

    func testOrderSurvivesLongUse() {
        var queue = IngressQueue(
            overload: .block, limits: QueueLimits(maxImages: 1000, maxBytes: 1000), largestImage: 1)
        var taken: [UInt64] = []
        for number in 0..<3000 {
            _ = queue.offer(image(number))
            if number % 3 != 0, let image = queue.take() { taken.append(image.sequence!) }
            if !queue.hasRoom { taken += drain(&queue) }
        }
        XCTAssertEqual(taken + drain(&queue), (0..<3000).map { UInt64($0) })
    }

    func testSendersOfAQueueAreServedInTurn() {
        var queue = IngressQueue(
            overload: .block, limits: QueueLimits(maxImages: 100, maxBytes: 1000), largestImage: 1)
        for number in 1...5 { _ = queue.offer(image(number, source: "a")) }
        for number in 11...12 { _ = queue.offer(image(number, source: "b")) }
        XCTAssertEqual(queue.take()?.sequence, 1)
        _ = queue.offer(image(21, source: "c"))
        XCTAssertEqual(drain(&queue), [11, 21, 2, 12, 3, 4, 5])
        XCTAssertEqual([queue.count, queue.byteCount], [0, 0])
    }

    func testAFullQueueDropsOfTheSenderThatHasMostWaiting() {
        for (overload, kept) in [
            (SourceSettings.Overload.dropOldest, [99 as UInt64, 1, 100, 2]), (.dropNewest, [11, 1, 12, 2]),
        ] {
            var queue = IngressQueue(
                overload: overload, limits: QueueLimits(maxImages: 4, maxBytes: 100), largestImage: 25)
            _ = queue.offer(image(11, source: "flood"))
            for number in 1...2 { XCTAssertTrue(queue.offer(image(number, source: "slow")).isAdmitted) }
            for number in 12...100 {
                let admission = queue.offer(image(number, source: "flood"))
                XCTAssertEqual(admission.isAdmitted, overload == .dropOldest || number == 12, "\(number)")
                XCTAssertEqual(admission.dropped.count, number == 12 ? 0 : 1)
            }
            XCTAssertEqual(drain(&queue), kept)
        }
    }

    func testAnImageThatTakesMoreThanItsShareIsNotAdmittedAtOthersCost() {
        var queue = IngressQueue(
            overload: .dropOldest, limits: QueueLimits(maxImages: 4, maxBytes: 100), largestImage: 90)
        for sender in ["a", "b", "c"] { XCTAssertTrue(queue.offer(image(1, bytes: 10, source: sender)).isAdmitted) }
        let admission = queue.offer(image(2, bytes: 90, source: "large"))
        XCTAssertFalse(admission.isAdmitted)
        XCTAssertEqual(admission.dropped.map(\.image.source), ["large"])
        XCTAssertEqual(queue.count, 3)
    }

    func testNoNumberOfInventedNamesDisplacesTheOrderOfTheOthers() {
        var queue = IngressQueue(
            overload: .dropOldest, limits: QueueLimits(maxImages: 50, maxBytes: 1000), largestImage: 1)
        var generator = SystemRandomNumberGenerator()
        var last: [String: UInt64] = [:]
        for number in 0..<5000 {
            let sender = Bool.random(using: &generator) ? "invented\(number)" : "cam\(number % 7)"
            _ = queue.offer(image(number, source: sender))
            XCTAssertLessThanOrEqual(queue.count, 50)
            if Int.random(in: 0..<3, using: &generator) == 0, let taken = queue.take() {
                XCTAssertGreaterThan(taken.sequence! + 1, last[taken.source, default: 0])
                last[taken.source] = taken.sequence! + 1
            }
        }
        let waiting = queue.count
        XCTAssertEqual(drain(&queue).count, waiting)
        XCTAssertEqual([queue.count, queue.byteCount], [0, 0])
    }

    func testSourcesAreServedInTurn() {
        let queues = IngressQueues(
            sources: [source(.block), source(.dropOldest)], limits: QueueLimits(), largestImage: 10)
        for number in 0..<100 { _ = queues.offer(image(number), source: 0) }
        for number in 0..<3 { _ = queues.offer(image(number), source: 1) }
        let order = (0..<8).map { _ in queues.take(trainingRoom: { true })!.source }
        XCTAssertEqual(order, [0, 1, 0, 1, 0, 1, 0, 0])
    }

    func testWithoutTrainingRoomOnlyABlockingSourceWaits() {
        let queues = IngressQueues(
            sources: [source(.block), source(.dropNewest)], limits: QueueLimits(), largestImage: 10)
        _ = queues.offer(image(1), source: 0)
        _ = queues.offer(image(2), source: 1)
        let taken = queues.take(trainingRoom: { false })!
        XCTAssertEqual(taken.source, 1)
        XCTAssertFalse(taken.hasTrainingRoom)

        // The one left needs a place: who waits for it gets it when there is one, and exactly one is reserved.
        let room = Monitor(false)
        let asked = expectation(description: "asked for room while there was none")
        asked.assertForOverFulfill = false
        let got = expectation(description: "got the image")
        let reservations = Monitor(0)
        WorkerThread(name: "taker") {
            let taken = queues.take {
                guard room.read({ $0 }) else {
                    asked.fulfill()
                    return false
                }
                reservations.withLock { $0 += 1 }
                return true
            }
            XCTAssertEqual(taken?.source, 0)
            XCTAssertEqual(taken?.hasTrainingRoom, true)
            got.fulfill()
        }.start()
        wait(for: [asked], timeout: 10)
        room.withLock { $0 = true }
        queues.trainingRoomFreed()
        wait(for: [got], timeout: 10)
        XCTAssertEqual(reservations.read { $0 }, 1)
    }

    func testASourceThatAnswersIsNotHeldUpByTraining() {
        var settings = source(.block)
        settings.pattern = .rep
        let queues = IngressQueues(sources: [settings], limits: QueueLimits(maxImages: 2), largestImage: 10)
        let training = TrainingBuffer(batchSize: 2, onRoom: {})
        while training.reserve() {}
        queues.admit(asLongAs: training)
        for number in 1...2 {
            XCTAssertTrue(queues.mayRead(source: 0))
            XCTAssertTrue(queues.offer(image(number), source: 0).isAdmitted)
        }
        XCTAssertFalse(queues.mayRead(source: 0), "its queue is full")
        XCTAssertEqual(queues.take(trainingRoom: { training.reserve() })?.hasTrainingRoom, false)
    }

    func testNoPlaceIsReservedWithoutAnImage() {
        let queues = IngressQueues(sources: [source(.block)], limits: QueueLimits(), largestImage: 10)
        queues.close()
        XCTAssertNil(
            queues.take {
                XCTFail("asked for a place for no image")
                return true
            })
    }

    func testRoomIsAnnouncedWhenABlockingQueueIsNoLongerFull() {
        let announced = Monitor(0)
        let queues = IngressQueues(
            sources: [source(.block)], limits: QueueLimits(maxImages: 2, maxBytes: 100), largestImage: 10,
            onRoom: { announced.withLock { $0 += 1 } })
        _ = queues.offer(image(1), source: 0)
        XCTAssertTrue(queues.mayRead(source: 0))
        _ = queues.offer(image(2), source: 0)
        XCTAssertFalse(queues.mayRead(source: 0))
        _ = queues.take(trainingRoom: { true })
        XCTAssertEqual(announced.read { $0 }, 1)
        _ = queues.take(trainingRoom: { true })
        XCTAssertEqual(announced.read { $0 }, 1)
    }

    func testClosedQueuesAreDrainedThenEnd() {
        let queues = IngressQueues(
            sources: [source(.block), source(.dropOldest)], limits: QueueLimits(), largestImage: 10)
        _ = queues.offer(image(1), source: 0)
        _ = queues.offer(image(2), source: 1)
        queues.close()
        XCTAssertEqual(queues.offer(image(3), source: 1).dropped.first?.reason, .stopping)
        XCTAssertNotNil(queues.take(trainingRoom: { true }))
        XCTAssertNotNil(queues.take(trainingRoom: { true }))
        XCTAssertNil(queues.take(trainingRoom: { true }))
        XCTAssertNil(queues.take(trainingRoom: { true }))
    }

    func testClosingWakesThoseWhoWait() {
        let queues = IngressQueues(sources: [source(.block)], limits: QueueLimits(), largestImage: 10)
        let takers = (0..<3).map { _ in
            WorkerThread(name: "taker") { XCTAssertNil(queues.take(trainingRoom: { true })) }
        }
        for taker in takers { taker.start() }
        queues.close()
        for taker in takers { taker.join() }
    }

    func testAnOutboxKeepsOrderAndSignalsOncePerEmptying() {
        let signals = Monitor(0)
        let outbox = Outbox(onFirst: { signals.withLock { $0 += 1 } })
        outbox.append([[1]])
        outbox.append([[2], [3]])
        XCTAssertEqual(signals.read { $0 }, 1)
        XCTAssertEqual(outbox.takeAll(), [[[1]], [[2], [3]]])
        XCTAssertEqual(outbox.takeAll(), [])
        outbox.append([[4]])
        XCTAssertEqual(signals.read { $0 }, 2)
    }
}
