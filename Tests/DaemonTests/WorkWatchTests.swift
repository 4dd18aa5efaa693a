// Who hangs: a thread that waits for what does not come, or computes for far longer than ever before; not one that is slow.

import Daemon
import Foundation
import StreamProtocol
import XCTest

final class WorkWatchTests: XCTestCase {
    private let start = MonotonicTime.now

    private func moment(_ seconds: Double) -> MonotonicTime { start.advanced(bySeconds: seconds) }

    /// Waits until the thread at a gate has gone to sleep there: from arriving to that it has some instructions to go.
    private func waitForSleep(_ mark: WorkMark) { while mark.isHeldUp { usleep(1000) } }

    /// A thread whose only work is to pass a gate.
    private func threadThatPasses(_ gate: Gate, _ mark: WorkMark) -> WorkerThread {
        WorkerThread(name: "waits") {
            mark.begin()
            gate.pass()
            mark.end()
        }
    }

    func testAThreadThatWaitsInVain() throws {
        let (mark, gate) = (WorkMark("waiting", patience: 8), Gate(isOpen: false))
        let thread = WorkerThread(name: "waits") {
            mark.begin()
            gate.pass()
            mark.idle { gate.pass() }
            mark.end()
        }
        var watch = WorkWatch()
        XCTAssertEqual(watch.look(at: [mark], now: moment(0)), [])
        thread.start()
        gate.waitForArrival()
        waitForSleep(mark)
        for second in 1...9 { XCTAssertEqual(watch.look(at: [mark], now: moment(Double(second))), [], "\(second)") }
        let hang = WorkWatch.Hang(worker: "waiting", reason: "its thread has not run for 8 seconds")
        XCTAssertEqual(watch.look(at: [mark], now: moment(10)), [hang])
        XCTAssertEqual(watch.look(at: [mark], now: moment(11)), [hang])
        gate.open()
        thread.join()
        XCTAssertEqual(watch.look(at: [mark], now: moment(12)), [])
        XCTAssertNil(mark.progress)
    }

    func testAMachineThatStoodStill() {
        let (mark, gate) = (WorkMark("waiting", patience: 8), Gate(isOpen: false))
        let thread = threadThatPasses(gate, mark)
        thread.start()
        gate.waitForArrival()
        waitForSleep(mark)
        var watch = WorkWatch()
        XCTAssertEqual(watch.look(at: [mark], now: moment(0)), [])
        XCTAssertEqual(watch.look(at: [mark], now: moment(3600)), [])
        XCTAssertEqual(watch.look(at: [mark], now: moment(3601)), [])
        gate.open()
        thread.join()
    }

    func testAMachineOnWhichLooksAreLate() {
        let (mark, gate) = (WorkMark("waiting", patience: 60), Gate(isOpen: false))
        let thread = threadThatPasses(gate, mark)
        thread.start()
        gate.waitForArrival()
        waitForSleep(mark)
        var watch = WorkWatch()
        // Each look a minute after the one before: what is waited for is as late as the looks are.
        for look in 0...12 {
            XCTAssertEqual(watch.look(at: [mark], now: moment(60 * Double(look))), [], "\(look)")
        }
        XCTAssertEqual(watch.look(at: [mark], now: moment(60 * 13)).map(\.worker), ["waiting"])
        gate.open()
        thread.join()
    }

    func testAThreadThatWantsToGoOnIsHeldUpAndOneThatWaitsForAnotherHangs() {
        let (mark, gate, spins) = (WorkMark("working", patience: 8), Gate(isOpen: false), Monitor(true))
        let thread = WorkerThread(name: "works") {
            mark.begin()
            while spins.read({ $0 }) {}
            gate.pass()
            mark.end()
        }
        thread.start()
        while mark.progress == nil { usleep(1000) }
        var watch = WorkWatch()
        // Hardly any processor time lies between these looks, as for a thread that the machine leaves waiting.
        for look in 0...20 {
            XCTAssertTrue(mark.isHeldUp)
            XCTAssertEqual(watch.look(at: [mark], now: moment(5 * Double(look))), [], "\(look)")
        }
        spins.withLock { $0 = false }
        gate.waitForArrival()
        waitForSleep(mark)
        for look in 21...23 { _ = watch.look(at: [mark], now: moment(5 * Double(look))) }
        XCTAssertEqual(watch.look(at: [mark], now: moment(120)).map(\.worker), ["working"])
        gate.open()
        thread.join()
    }

    func testTheLookoutTellsOfAHangOnceAndOfItsEnd() {
        let (mark, gate, told) = (WorkMark("waiting", patience: 0.02), Gate(isOpen: false), Monitor([WorkWatch.Hang]()))
        let lookout = Lookout([mark], interval: 0.01) { hang in told.withLock { $0.append(hang) } }
        XCTAssertTrue(lookout.isAllWell)
        let thread = threadThatPasses(gate, mark)
        thread.start()
        lookout.start()
        lookout.start()
        told.wait { $0.isEmpty ? .wait(until: nil) : .done(()) }
        XCTAssertFalse(lookout.isAllWell)
        XCTAssertEqual(lookout.illness, "waiting hangs: its thread has not run for 0 seconds")
        // What is not watched any more is forgotten, and told again when it is.
        lookout.watch([])
        while !lookout.isAllWell { usleep(1000) }
        XCTAssertNil(lookout.illness)
        lookout.watch([mark])
        told.wait { $0.count < 2 ? .wait(until: nil) : .done(()) }
        gate.open()
        while !lookout.isAllWell { usleep(1000) }
        lookout.stop()
        lookout.stop()
        thread.join()
        XCTAssertEqual(told.read(\.count), 2)
    }

    func testAThreadThatComputes() {
        let mark = WorkMark("computing", patience: 8)
        let (rounds, wanted) = (Monitor(0), Monitor(0))
        /// Uses this much processor time.
        @Sendable func compute(_ seconds: Double) {
            let before = mark.progress?.processorSeconds ?? 0
            while (mark.progress?.processorSeconds ?? 0) < before + seconds {}
        }
        let thread = WorkerThread(name: "computes") {
            mark.begin()
            compute(0.002)
            mark.end()
            mark.begin()
            for round in 1...4 {
                wanted.wait { $0 >= round ? .done(()) : .wait(until: nil) }
                compute(round < 4 ? 0.005 : 0.1)
                rounds.withLock { $0 = round }
            }
            wanted.wait { $0 > 4 ? .done(()) : .wait(until: nil) }
            mark.end()
        }
        thread.start()
        // 600 seconds of processor time become 60 milliseconds, and 8 of patience 0.8 milliseconds.
        var watch = WorkWatch(share: 1e-4)
        for round in 1...4 {
            wanted.withLock { $0 = round }
            rounds.wait { $0 == round ? .done(()) : .wait(until: nil) }
            let hangs = watch.look(at: [mark], now: moment(Double(round)))
            XCTAssertEqual(
                hangs,
                round < 4
                    ? [] : [WorkWatch.Hang(worker: "computing", reason: "it has computed for 0 seconds on one thing")])
        }
        wanted.withLock { $0 = 5 }
        thread.join()
        XCTAssertEqual(watch.look(at: [mark], now: moment(6)), [])
    }

    func testAGatewayWhoseThreadHangs() throws {
        let gate = Gate(isOpen: false)
        var settings = GatewaySettings(
            sources: [SourceSettings(name: "queue", endpoint: "tcp://127.0.0.1:*", pattern: .pull)],
            publishEndpoint: "tcp://127.0.0.1:*")
        settings.heartbeatInterval = .milliseconds(10)
        let (logger, _) = MemoryLog.logger()
        let gateway = try Gateway(settings: settings, logger: logger)
        _ = try gateway.start(heartbeat: {
            gate.pass()
            return HeartbeatMessage(epoch: "test", sequence: 0, published: 1).frames
        })
        gate.waitForArrival()
        waitForSleep(gateway.mark)
        var watch = WorkWatch()
        XCTAssertEqual(watch.look(at: [gateway.mark], now: moment(0)), [])
        for look in 1...12 {
            XCTAssertEqual(watch.look(at: [gateway.mark], now: moment(5 * Double(look))), [], "\(look)")
        }
        XCTAssertEqual(
            watch.look(at: [gateway.mark], now: moment(65)),
            [WorkWatch.Hang(worker: "reading the sources", reason: "its thread has not run for 60 seconds")])
        gate.open()
        gateway.stopInput()
        gateway.queues.close()
        gateway.finish()
        XCTAssertEqual(watch.look(at: [gateway.mark], now: moment(100)), [])
    }
}
