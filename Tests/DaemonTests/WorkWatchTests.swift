// Who hangs: a thread that waits for what does not come, or computes for far longer than ever before; not one that is slow.

import Daemon
import StreamProtocol
import XCTest

final class WorkWatchTests: XCTestCase {
    private let start = MonotonicTime.now

    private func moment(_ seconds: Double) -> MonotonicTime { start.advanced(bySeconds: seconds) }

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
        let thread = WorkerThread(name: "waits") {
            mark.begin()
            gate.pass()
            mark.end()
        }
        thread.start()
        gate.waitForArrival()
        var watch = WorkWatch()
        XCTAssertEqual(watch.look(at: [mark], now: moment(0)), [])
        XCTAssertEqual(watch.look(at: [mark], now: moment(3600)), [])
        XCTAssertEqual(watch.look(at: [mark], now: moment(3601)), [])
        gate.open()
        thread.join()
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
        var watch = WorkWatch()
        XCTAssertEqual(watch.look(at: [gateway.mark], now: moment(0)), [])
        for second in 1...5 { _ = watch.look(at: [gateway.mark], now: moment(15 * Double(second))) }
        XCTAssertEqual(
            watch.look(at: [gateway.mark], now: moment(90)),
            [WorkWatch.Hang(worker: "reading the sources", reason: "its thread has not run for 60 seconds")])
        gate.open()
        gateway.stopInput()
        gateway.queues.close()
        gateway.finish()
        XCTAssertEqual(watch.look(at: [gateway.mark], now: moment(100)), [])
    }
}
