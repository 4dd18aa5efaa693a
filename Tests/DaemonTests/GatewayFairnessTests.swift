// One sender that floods, and others that must not suffer from it: at the same source and at another.

import Daemon
import StreamProtocol
import XCTest
import ZeroMQ

final class GatewayFairnessTests: XCTestCase {
    /// Sends images as fast as it can until it is let go of.
    private final class Flood {
        private let isOver = Monitor(false)
        private let thread: WorkerThread

        init(endpoint: String, payload: Int = 1000) {
            let isOver = isOver
            thread = WorkerThread(name: "flood") {
                do {
                    let context = try ZeroMQContext(linger: .zero)
                    var socket = try context.socket(.push)
                    try socket.set(.sendTimeout, .milliseconds(100))
                    try socket.connect(endpoint)
                    let message = numberedMessage(
                        1, source: "flood", payload: [UInt8](repeating: 7, count: payload))
                    while !isOver.read({ $0 }) { try? socket.send(message) }
                } catch {
                    XCTFail("\(error)")
                }
            }
            thread.start()
        }

        func end() {
            isOver.withLock { $0 = true }
            thread.join()
        }
    }

    func testAFloodDoesNotDisplaceTheImagesOfAnotherSenderAtTheSameSource() throws {
        let rig = try GatewayRig([sourceSettings(.dropOldest)]) { $0.queueLimits.maxImages = 32 }
        defer { rig.gateway.finish() }
        var slow = try rig.sender()
        for number in 1...10 { try slow.send(numberedMessage(number, source: "slow")) }
        while rig.counters("slow").admitted < 10 { try rig.heartbeat() }
        let flood = Flood(endpoint: rig.endpoints.sources[0])
        defer { flood.end() }
        while rig.counters("flood").dropped["dropped-oldest", default: 0] < 1000 { try rig.heartbeat() }
        // Served in turn: the slow sender's ten are among the first twenty.
        let taken = (0..<20).compactMap { _ in rig.gateway.queues.take(trainingRoom: { true })?.image }
        XCTAssertEqual(taken.filter { $0.source == "slow" }.map(\.sequence), (1...10).map { $0 })
        XCTAssertEqual(rig.counters("slow").dropped, [:])
    }

    func testAFloodHoldsUpTheRepliesOfNoOtherSource() throws {
        let sources = [
            sourceSettings(.dropOldest, name: "flooded"), sourceSettings(.block, pattern: .rep, name: "asked"),
        ]
        let rig = try GatewayRig(sources)
        defer { rig.gateway.finish() }
        let flood = Flood(endpoint: rig.endpoints.sources[0], payload: 100_000)
        defer { flood.end() }
        while rig.counters("flood").dropped["dropped-oldest", default: 0] < 100 { try rig.heartbeat() }
        var sender = try rig.sender(.req, source: 1)
        var waits: [Duration] = []
        let before = rig.counters("flood").received
        for number in 1...101 {
            let start = ContinuousClock.now
            try sender.send(numberedMessage(number, source: "slow"))
            _ = try sender.receive()
            waits.append(.now - start)
        }
        XCTAssertGreaterThan(rig.counters("flood").received, before, "the flood goes on")
        // A flood that holds replies up does so to each; a busy machine leaves the quickest as they are.
        XCTAssertLessThan(waits.sorted()[10], .milliseconds(50), "\(waits)")
        XCTAssertEqual(rig.counters("slow").admitted, 101)
    }
}
