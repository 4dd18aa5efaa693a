// What the daemon tells a service manager: sd_notify(3) on a real socket, by the real program and by a service in this
// process whose work can be made to hang.

import ContrastiveClustering
import Daemon
import Foundation
import Logging
import StreamProtocol
import XCTest
import ZeroMQ

final class ServiceManagerTests: XCTestCase {
    // MARK: The program

    func testFromTheStartToTheEnd() throws {
        let receiver = try NotifyReceiver()
        let process = try TestProcess.serve(
            try TemporaryFolder(), environment: ["NOTIFY_SOCKET": receiver.address, "WATCHDOG_USEC": "400000"])
        let ready = try receiver.wait(for: "READY=1")
        XCTAssertTrue(receiver.received.first?.hasPrefix("EXTEND_TIMEOUT_USEC=") ?? false, "\(receiver.received)")
        XCTAssertTrue(ready.contains { $0.hasPrefix("STATUS=step 0, ") }, "\(ready)")
        XCTAssertFalse(receiver.received.contains("WATCHDOG=1"))

        // Everything is bound: the log tells of each endpoint, and images are taken.
        for text in ["source=stream", "source=queue", "publishing", "answering control"] {
            XCTAssertNotNil(process.line(with: text, in: process.errors), text)
        }
        let context = try ZeroMQContext(linger: .zero)
        var sender = try context.socket(.push)
        try sender.connect(XCTUnwrap(process.logged("endpoint", with: "source=queue")))
        for number in 1...8 { try sender.send(greyMessage(number)) }
        try receiver.wait(for: "STATUS=step 1, ")

        for _ in 1...3 { try receiver.wait(for: "WATCHDOG=1") }

        for _ in 1...2 {
            let before = MonotonicTime.now.nanoseconds / 1000
            process.signal(SIGHUP)
            let reloading = try receiver.wait(for: "RELOADING=1")
            let time = try XCTUnwrap(
                reloading.first { $0.hasPrefix("MONOTONIC_USEC=") }.flatMap { UInt64($0.dropFirst(15)) })
            XCTAssertTrue((before...MonotonicTime.now.nanoseconds / 1000).contains(time))
            try receiver.wait(for: "READY=1")
        }

        process.signal(SIGTERM)
        try receiver.wait(for: "STOPPING=1")
        try receiver.wait(for: "STATUS=stopped")
        XCTAssertEqual(process.wait(), 0)
    }

    func testAnAbstractAddressAndNoWatchdog() throws {
        let receiver = try NotifyReceiver(isAbstract: true)
        let process = try TestProcess.serve(
            try TemporaryFolder(),
            // The watchdog is another process's.
            environment: ["NOTIFY_SOCKET": receiver.address, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"])
        try receiver.wait(for: "READY=1")
        process.signal(SIGHUP)
        try receiver.wait(for: "RELOADING=1")
        try receiver.wait(for: "READY=1")
        process.signal(SIGTERM)
        try receiver.wait(for: "STATUS=stopped")
        XCTAssertFalse(receiver.received.contains("WATCHDOG=1"), "\(receiver.received)")
        XCTAssertEqual(process.wait(), 0)
    }

    func testAStartThatFailsSaysWhy() throws {
        let receiver = try NotifyReceiver()
        let process = try TestProcess.serve(
            try TemporaryFolder(), set: ["train.batch_size=1"], environment: ["NOTIFY_SOCKET": receiver.address])
        try receiver.wait(for: "STATUS=failed: --set: train.batch_size: 1 is out of range")
        XCTAssertEqual(process.wait(), 78)
        XCTAssertFalse(receiver.received.contains("READY=1"))
    }

    // MARK: Watching

    /// Tells `receiver` of a service, twenty times a second, as soon as it is warm.
    ///
    /// - Parameter patience: the share of the usual patience; left out, 0.12 seconds with assigning, 0.6 with training.
    private func manage(
        _ running: RunningService, _ receiver: NotifyReceiver, patience: Double = 0.002
    ) -> ServiceManager {
        let (logger, log) = (Logger(label: "test") { _ in MemoryLog(lines: running.log) }, running.log)
        XCTAssertFalse(log.read { $0 }.isEmpty)
        let manager = ServiceManager(
            environment: ["NOTIFY_SOCKET": receiver.address, "WATCHDOG_USEC": "100000"], patience: patience,
            logger: logger)
        manager.starting()
        running.service.waitUntilWarm()
        manager.ready(running.service.subject)
        return manager
    }

    func testPingsStopWhileTrainingHangsAndNotWhileThereIsNothingToDo() throws {
        let (running, receiver) = (try RunningService(gateOpen: false), try NotifyReceiver())
        let manager = manage(running, receiver)
        defer { manager.ended("over") }
        // A second of idleness, longer than any patience.
        for _ in 1...20 { try receiver.wait(for: "WATCHDOG=1") }
        XCTAssertFalse(running.log.read { $0 }.contains { $0.contains("hangs") })

        var sender = try running.sender()
        for number in 1...4 { try sender.send(greyMessage(number)) }
        running.gate.waitForArrival()
        running.log.wait { lines in
            lines.contains("critical: training hangs: its thread has not run for 0 seconds")
                ? .done(()) : .wait(until: nil)
        }
        for _ in 1...200 where receiver.next(within: 0.2) == nil { break }
        // Ten times as long as it takes to say that all is well. The status line may change meanwhile, and one ping may
        // have been under way.
        var pings = 0
        while pings < 3, let message = receiver.next(within: 0.5) { pings += message.contains("WATCHDOG=1") ? 1 : 0 }
        XCTAssertLessThanOrEqual(pings, 1)

        running.gate.open()
        try receiver.wait(for: "WATCHDOG=1")
    }

    func testTheStopIsExtendedUntilItHangs() throws {
        let (running, receiver) = (try RunningService(gateOpen: false), try NotifyReceiver())
        // Patience of 3 seconds with training, so that it does not hang before the stop begins.
        let manager = manage(running, receiver, patience: 0.01)
        try receiver.wait(for: "WATCHDOG=1")
        var sender = try running.sender()
        for number in 1...4 { try sender.send(greyMessage(number)) }
        running.gate.waitForArrival()
        manager.stopping()
        let stopped = Monitor(false)
        WorkerThread(name: "stop") { [service = running.service] in
            service.stop()
            stopped.withLock { $0 = true }
        }.start()
        try receiver.wait(for: "STOPPING=1")
        let message = try receiver.wait(for: "EXTEND_TIMEOUT_USEC=")
        XCTAssertEqual(message, ["EXTEND_TIMEOUT_USEC=120000000"])
        running.log.wait { $0.contains { $0.contains("training hangs") } ? .done(()) : .wait(until: nil) }
        for _ in 1...200 where receiver.next(within: 0.2) == nil { break }
        // One word may have been under way when the hang was found.
        var late = 0
        while late < 3, receiver.next(within: 0.3) != nil { late += 1 }
        XCTAssertLessThanOrEqual(late, 1)
        // Who speaks learns of the stop a little later than the stop is told of.
        let sinceStop = receiver.received.drop { $0 != "STOPPING=1" }
        XCTAssertFalse(sinceStop.drop { !$0.hasPrefix("EXTEND_TIMEOUT_USEC=") }.contains("WATCHDOG=1"))
        running.gate.open()
        stopped.wait { $0 ? .done(()) : .wait(until: nil) }
        manager.ended("stopped")
        try receiver.wait(for: "STATUS=stopped")
    }

    func testTheAssignerIsWarmBeforeTheFirstImage() throws {
        let record = LearnerRecord()
        let running = try RunningService(makeLearner: { role, _ in
            LearnerHandover(role == .assigning ? BrightnessLearner(record: record) : BrightnessLearner())
        })
        running.service.waitUntilWarm()
        XCTAssertEqual(record.assignedBatches, [8])
        XCTAssertEqual(running.service.summary.assigned, 0)
    }

    // MARK: The parts

    func testAddresses() throws {
        for address in ["", "/", "relative", "vsock:2:1234", "/" + String(repeating: "x", count: 107)] {
            XCTAssertNil(NotifySocket(address), address)
        }
        XCTAssertNotNil(NotifySocket("/" + String(repeating: "x", count: 106)))
        XCTAssertEqual(NotifySocket("/nowhere/notify")?.send(["READY=1"]), false)
        for isAbstract in [false, true] {
            let receiver = try NotifyReceiver(isAbstract: isAbstract)
            XCTAssertEqual(NotifySocket(receiver.address)?.send(["A=1", "B=2"]), true)
            XCTAssertEqual(receiver.next(), ["A=1", "B=2"])
        }
    }

    func testTheEnvironmentIsNotHandedOn() throws {
        let receiver = try NotifyReceiver()
        setenv("NOTIFY_SOCKET", receiver.address, 1)
        setenv("WATCHDOG_USEC", "1000000", 1)
        setenv("WATCHDOG_PID", "\(getpid())", 1)
        let manager = ServiceManager.inherited(logger: Logger(label: "test"))
        for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] { XCTAssertNil(getenv(name), name) }
        manager.ended("two\nlines")
        XCTAssertEqual(receiver.next(), ["STATUS=two lines"])
    }
}
