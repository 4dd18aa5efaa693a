// The queues between the Gateway and the decoding workers, without sockets.

import Daemon
import StreamProtocol
import XCTest

final class GatewayQueueTests: XCTestCase {
    private func image(_ number: Int, bytes: Int = 1) -> IncomingImage {
        IncomingImage(
            source: "cam", sequence: UInt64(number), received: 0, encoding: .file(format: nil),
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
        let dropped = (1...10).flatMap { queue.offer(image($0)) }
        XCTAssertEqual(numbers(dropped.map(\.image)), [1, 2, 3, 4, 5, 6, 7])
        XCTAssertTrue(dropped.allSatisfy { $0.reason == .droppedOldest })
        XCTAssertEqual(drain(&queue), [8, 9, 10])
    }

    func testDropNewestKeepsTheFirstImages() {
        var queue = IngressQueue(
            overload: .dropNewest, limits: QueueLimits(maxImages: 3, maxBytes: 100), largestImage: 100)
        let dropped = (1...10).flatMap { queue.offer(image($0)) }
        XCTAssertEqual(numbers(dropped.map(\.image)), [4, 5, 6, 7, 8, 9, 10])
        XCTAssertTrue(dropped.allSatisfy { $0.reason == .droppedNewest })
        XCTAssertEqual(drain(&queue), [1, 2, 3])
    }

    func testBytesAreBoundedToo() {
        var queue = IngressQueue(
            overload: .dropOldest, limits: QueueLimits(maxImages: 100, maxBytes: 100), largestImage: 100)
        XCTAssertTrue(queue.offer(image(1, bytes: 40)).isEmpty)
        XCTAssertTrue(queue.offer(image(2, bytes: 60)).isEmpty)
        XCTAssertEqual(queue.byteCount, 100)
        XCTAssertEqual(numbers(queue.offer(image(3, bytes: 1)).map(\.image)), [1])
        XCTAssertEqual(numbers(queue.offer(image(4, bytes: 100)).map(\.image)), [2, 3])
        XCTAssertEqual(drain(&queue), [4])
        XCTAssertEqual(queue.byteCount, 0)
    }

    func testABlockingQueueHasRoomOnlyForTheLargestImage() {
        var queue = IngressQueue(
            overload: .block, limits: QueueLimits(maxImages: 3, maxBytes: 100), largestImage: 60)
        XCTAssertTrue(queue.offer(image(1, bytes: 40)).isEmpty)
        XCTAssertTrue(queue.hasRoom)
        XCTAssertTrue(queue.offer(image(2, bytes: 1)).isEmpty)
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
        XCTAssertEqual(queues.offer(image(3), source: 1).first?.reason, .stopping)
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
