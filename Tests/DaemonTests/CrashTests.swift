// A daemon that is killed at random moments while images stream in: it always comes back, numbering has no holes, what a
// consumer was sent is in the journal, and no checkpoint is torn. Two of three times the moment is one at which a checkpoint is
// being written, or gets its name. `CLUSTERD_CRASH_TRIALS` says how often; a few times without it.

import Daemon
import Foundation
import Journal
import StreamProtocol
import XCTest
import ZeroMQ

final class CrashTests: XCTestCase {
    /// Endpoints that stay the same from start to start.
    private struct Ports {
        let queue: String
        let publisher: String
        let control: String

        init() throws {
            let context = try ZeroMQContext()
            var socket = try context.socket(.pull)
            queue = try socket.bind("tcp://127.0.0.1:*")
            publisher = try socket.bind("tcp://127.0.0.1:*")
            control = try socket.bind("tcp://127.0.0.1:*")
        }
    }

    /// What a subscriber was sent, by number; it connects again by itself.
    private final class Consumer: Sendable {
        struct Sent: Sendable {
            var bodies: [UInt64: [UInt8]] = [:]
            var epochs: Set<String> = []
            var contradictions = 0

            /// Takes out what came after `last`.
            func after(_ last: UInt64) -> [UInt64: [UInt8]] { bodies.filter { $0.key > last } }
        }

        let sent = Monitor(Sent())
        private let isStopping = Monitor(false)
        private let thread: WorkerThread

        init(_ endpoint: String) throws {
            let context = try ZeroMQContext(linger: .zero)
            let (sent, isStopping) = (sent, isStopping)
            thread = WorkerThread(name: "consumer") {
                guard var socket = try? context.socket(.sub) else { return XCTFail("no socket") }
                do {
                    try socket.set(.receiveTimeout, .milliseconds(200))
                    try socket.set(.subscribe, Array("assignment/".utf8))
                    try socket.connect(endpoint)
                } catch {
                    return XCTFail("\(error)")
                }
                while !isStopping.read({ $0 }) {
                    guard case .frames(let frames)? = try? socket.receive(),
                        let message = try? AssignmentMessage(frames: frames)
                    else { continue }
                    sent.withLock { sent in
                        sent.epochs.insert(message.epoch)
                        let old = sent.bodies.updateValue(frames[1], forKey: message.sequence)
                        if old != nil { sent.contradictions += 1 }
                    }
                }
            }
            thread.start()
        }

        func stop() {
            isStopping.withLock { $0 = true }
            thread.join()
        }
    }

    /// Sends images without end, to whoever is there.
    private final class Sender: Sendable {
        private let isStopping = Monitor(false)
        private let thread: WorkerThread

        init(_ endpoint: String) throws {
            let context = try ZeroMQContext(linger: .zero)
            let isStopping = isStopping
            thread = WorkerThread(name: "sender") {
                guard var socket = try? context.socket(.push) else { return XCTFail("no socket") }
                do {
                    try socket.set(.sendTimeout, .milliseconds(50))
                    try socket.set(.sendHighWaterMark, 16)
                    try socket.connect(endpoint)
                } catch {
                    return XCTFail("\(error)")
                }
                var number = 0
                while !isStopping.read({ $0 }) {
                    let pixels = (0..<16 * 16 * 3).map { UInt8(truncatingIfNeeded: ($0 + 7) * (number + 3) * 31 >> 3) }
                    let header = #"{"v":1,"id":"\#(number)","format":"raw","shape":[16,16,3],"dtype":"uint8"}"#
                    if (try? socket.send(message(header, pixels))) != nil { number += 1 }
                }
            }
            thread.start()
        }

        func stop() {
            isStopping.withLock { $0 = true }
            thread.join()
        }
    }

    /// What is in the journal, all or the newest.
    private func journaled(_ folder: TemporaryFolder, newest: Int? = nil) throws -> [AssignmentMessage] {
        var messages: [AssignmentMessage] = []
        var query = JournalQuery()
        query.newest = newest
        try JournalReader(directory: folder.path).read(query) { message in
            messages.append(message)
            return true
        }
        return messages
    }

    /// Whether a checkpoint is being written, or was when its writer was killed.
    private func isWriting(_ folder: TemporaryFolder) -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.contains { $0.hasSuffix(".partial") }
    }

    /// What a daemon is to be about when it is killed.
    private enum Business: CaseIterable {
        case serving
        case writing
        case naming
    }

    /// Waits for a random moment of a business.
    private func waitForMoment(
        of business: Business, _ folder: TemporaryFolder, _ random: inout SystemRandomNumberGenerator
    ) {
        let deadline = MonotonicTime.now.advanced(bySeconds: 10)
        func wait(isWriting: Bool) {
            while self.isWriting(folder) != isWriting, MonotonicTime.now < deadline { usleep(500) }
        }
        // A random moment is the point of this, not an event. A checkpoint takes some hundred milliseconds.
        switch business {
        case .serving: usleep(UInt32.random(in: 0...30_000, using: &random))
        case .writing:
            wait(isWriting: true)
            usleep(UInt32.random(in: 0...300_000, using: &random))
        case .naming:
            wait(isWriting: true)
            wait(isWriting: false)
            usleep(UInt32.random(in: 0...3_000, using: &random))
        }
    }

    func testNothingThatWasSentIsMissingFromTheJournal() throws {
        let trials = ProcessInfo.processInfo.environment["CLUSTERD_CRASH_TRIALS"].flatMap { Int($0) } ?? 4
        let folder = try TemporaryFolder()
        let ports = try Ports()
        let settings = [
            "sources.queue.endpoint=\(ports.queue)", "publish.endpoint=\(ports.publisher)",
            "control.endpoint=\(ports.control)", "checkpoint.every_steps=1", "checkpoint.keep=2",
        ]
        let consumer = try Consumer(ports.publisher)
        let watch = try TestProcess.clusterd(
            ["watch", "--from", ports.publisher, "--control", ports.control, "--from-seq", "1", "--json"])
        let sender = try Sender(ports.queue)
        var random = SystemRandomNumberGenerator()
        /// What has been looked at: up to here nothing is missing.
        var verified: UInt64 = 0
        var (killedWriting, resumed) = (0, 0)
        for trial in 1...trials {
            let process = try TestProcess.serve(folder, set: settings)
            XCTAssertNotNil(
                process.line(with: "publishing", in: process.errors),
                "trial \(trial): \(process.errors.read { $0.lines })")
            let before = consumer.sent.read { $0.bodies.count }
            let wanted = before + Int.random(in: 0...40, using: &random)
            let deadline = MonotonicTime.now.advanced(bySeconds: 30)
            let isServing = consumer.sent.wait { sent in
                sent.bodies.count >= wanted
                    ? .done(true) : MonotonicTime.now >= deadline ? .done(false) : .wait(until: deadline)
            }
            XCTAssertTrue(isServing, "trial \(trial): \(process.errors.read { $0.lines.suffix(20) })")
            waitForMoment(of: Business.allCases[trial % 3], folder, &random)
            process.signal(SIGKILL)
            XCTAssertEqual(process.wait(), 128 + SIGKILL)
            if isWriting(folder) { killedWriting += 1 }
            let log = process.errors.read { $0.lines }
            // Neither a journal nor a checkpoint that is torn.
            XCTAssertFalse(
                log.contains { $0.contains("damaged") || $0.contains("starts again") }, "trial \(trial): \(log)")
            if log.contains(where: { $0.contains("resuming") }) { resumed += 1 }
            // All that has been sent by now, in one epoch and without a hole. What was looked at before need not be again.
            let sent = consumer.sent.read { ($0.after(verified), $0.epochs) }
            let newest = try journaled(folder, newest: 1).last?.sequence ?? 0
            XCTAssertGreaterThanOrEqual(newest, verified, "trial \(trial)")
            let rows = try journaled(folder, newest: Int(newest - min(newest, verified)))
            XCTAssertEqual(rows.map(\.sequence), Array((verified + 1)..<(newest + 1)), "trial \(trial)")
            XCTAssertLessThanOrEqual(Set(rows.map(\.epoch)).union(sent.1).count, 1, "trial \(trial)")
            for (sequence, body) in sent.0 {
                guard sequence <= newest, rows[Int(sequence - verified) - 1].body == body else {
                    return XCTFail("trial \(trial): \(sequence) was sent and is not in the journal")
                }
            }
            verified = newest
        }
        // Once more in peace: the reference consumer ends with everything.
        sender.stop()
        let process = try TestProcess.serve(folder, set: settings)
        let rows = try journaled(folder)
        XCTAssertNotNil(process.line(with: "publishing", in: process.errors))
        var lines = watch.lines(rows.count)
        process.signal(SIGTERM)
        XCTAssertEqual(process.wait(), 0)
        consumer.stop()
        let last = try journaled(folder)
        lines = watch.lines(last.count)
        XCTAssertEqual(lines, last.map { String(decoding: $0.body, as: UTF8.self) })
        watch.signal(SIGINT)
        XCTAssertEqual(watch.wait(), 0)
        XCTAssertEqual(watch.output.read { $0.lines.count }, last.count)
        let sent = consumer.sent.read { $0 }
        XCTAssertEqual(sent.contradictions, 0, "a number was sent twice")
        XCTAssertEqual(last.map(\.sequence), Array(1..<UInt64(last.count) + 1))
        print(
            "\(trials) kills, \(killedWriting) of them in the middle of a checkpoint, \(resumed) starts from one: "
                + "\(last.count) assignments journaled, \(sent.bodies.count) of them sent to the consumer")
    }
}
