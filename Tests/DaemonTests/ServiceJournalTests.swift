// The journal behind the real daemon: numbers across restarts, replay over the control endpoint, a full disk.

import Daemon
import Foundation
import StreamProtocol
import XCTest
import ZeroMQ

final class ServiceJournalTests: XCTestCase {
    private func replay(_ client: ControlClient, _ arguments: [String: JSON]) throws -> ReplayReply {
        try ReplayReply(try client.ask("replay", arguments))
    }

    func testNumberingGoesOnAcrossRestartsAndAllCanBeReplayed() throws {
        let folder = try TemporaryFolder()
        var published: [AssignmentMessage] = []
        for round in 0..<3 {
            let running = try RunningService(folder: folder) { $0.publish.probabilities = true }
            XCTAssertEqual(
                try running.nextHeartbeat().sequence, UInt64(published.count), "before the first of this run")
            var sender = try running.sender()
            for number in 0..<40 { try sender.send(greyMessage(number)) }
            published += try running.assignments(40)
            let reply = try replay(try running.controlClient(), ["from": JSON(1)])
            XCTAssertEqual(reply.assignments, published.map(\.body), "round \(round)")
            XCTAssertEqual(
                [reply.first, reply.next, reply.last], [1, UInt64(published.count) + 1, UInt64(published.count)])
            running.service.stop()
        }
        XCTAssertEqual(published.map(\.sequence), Array(1...120))
        XCTAssertEqual(Set(published.map(\.epoch)).count, 1)
    }

    func testWhatIsAskedForIsAnsweredOrRefused() throws {
        let running = try RunningService()
        var sender = try running.sender()
        for number in 0..<50 { try sender.send(greyMessage(number)) }
        let epoch = try running.assignments(50)[0].epoch
        let client = try running.controlClient()
        let some = try replay(client, ["epoch": .string(epoch), "from": JSON(11), "limit": JSON(5)])
        XCTAssertEqual([some.first, some.next, some.last], [11, 16, 50])
        XCTAssertNil(some.gap)
        XCTAssertEqual(try some.assignments.map { try AssignmentMessage(body: $0).sequence }, Array(11...15))
        XCTAssertEqual(try replay(client, ["from": JSON(UInt64.max)]).assignments, [])
        XCTAssertEqual(try replay(client, ["from": JSON(1), "limit": JSON(UInt64.max)]).assignments.count, 50)
        for (arguments, code) in [
            (#""from":1,"epoch":"another""#, "unknown-epoch"), (#""from":0"#, "invalid-argument"),
            (#""epoch":"\#(epoch)""#, "invalid-argument"), (#""from":1,"limit":0"#, "invalid-argument"),
            (#""from":-1"#, "invalid-argument"), (#""from":"1""#, "invalid-argument"),
            (#""from":1,"epoch":7"#, "invalid-argument"),
        ] {
            XCTAssertEqual(try client.refusal(of: [Array("{\"op\":\"replay\",\(arguments)}".utf8)]), code, arguments)
        }
    }

    func testAFullDiskStopsNothingAndIsCaughtUpWith() throws {
        let folder = try TemporaryFolder()
        let disk = folder.path + "/disk"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
        guard mount("tmpfs", disk, "tmpfs", 0, "size=4m") == 0 else {
            throw XCTSkip("mounting a small file system needs root")
        }
        defer { umount2(disk, Int32(MNT_DETACH)) }
        let running = try RunningService(folder: folder) {
            $0.journal.directory = disk
            $0.checkpoint.directory = disk
            $0.checkpoint.everySteps = 50
        }
        let client = try running.controlClient()
        func problems() throws -> JSON? { try client.ask("status")["health.problems"] }
        var sender = try running.sender()
        var sent = 0
        func stream(_ count: Int) throws -> [AssignmentMessage] {
            for _ in 0..<count {
                try sender.send(greyMessage(sent, grey: UInt8(sent % 256)))
                sent += 1
            }
            return try running.assignments(count)
        }
        var published = try stream(100)
        let filler = open(disk + "/filler", O_WRONLY | O_CREAT, 0o644)
        let block = [UInt8](repeating: 1, count: 4096)
        while write(filler, block, block.count) > 0 {}
        close(filler)

        let trained = running.training.trained.count
        while !running.log.read({ $0 }).contains(where: { $0.contains("wait in memory") }) {
            published += try stream(100)
        }
        published += try stream(300)
        running.training.waitForTrained(trained + 50)
        XCTAssertEqual(published.map(\.sequence), Array(1...UInt64(published.count)))
        XCTAssertEqual(try problems()?.elements?.contains(.string("journal-failed")), true)
        XCTAssertEqual(running.log.read { $0 }.count { $0.contains("wait in memory") }, 1)

        unlink(disk + "/filler")
        while !running.log.read({ $0 }).contains(where: { $0.contains("the journal is written again") }) {
            _ = try running.nextHeartbeat()
        }
        XCTAssertEqual(try client.ask("status")["journal.failure"], .null)
        published += try stream(100)
        let reply = try replay(client, ["from": JSON(1), "limit": JSON(10_000)])
        XCTAssertEqual(reply.assignments, published.map(\.body))
        running.service.stop()
    }

    func testAWatchThatIsCutOffFiveTimesTellsEachAssignmentOnce() throws {
        let running = try RunningService()
        let publisher = try CuttableProxy(to: running.endpoints.publisher)
        let control = try CuttableProxy(to: running.endpoints.control)
        let watch = try TestProcess.clusterd(
            ["watch", "--from", publisher.endpoint, "--control", control.endpoint, "--from-seq", "1", "--json"])
        var sender = try running.sender()
        var published: [AssignmentMessage] = []
        func stream(_ count: Int) throws {
            for _ in 0..<count { try sender.send(greyMessage(published.count, grey: 9)) }
            published += try running.assignments(count)
        }
        for round in 0..<5 {
            try stream(30)
            XCTAssertGreaterThanOrEqual(watch.lines(published.count).count, published.count, "round \(round)")
            publisher.cut()
            // The way back to what was missed may be cut too.
            if round % 2 == 1 { control.cut() }
            try stream(50)
            publisher.mend()
            // Nobody can be asked yet.
            if round == 3 { try stream(10) }
            control.mend()
        }
        try stream(20)
        let lines = watch.lines(published.count)
        XCTAssertEqual(lines, published.map { String(decoding: $0.body, as: UTF8.self) })
        watch.signal(SIGINT)
        XCTAssertEqual(watch.wait(), 0)
        XCTAssertEqual(watch.output.read { $0.lines.count }, published.count, "each once")
        let summary = watch.errors.read { $0.lines.last ?? "" }
        XCTAssertTrue(summary.hasPrefix("430 assignments") && summary.contains("replayed"), summary)
    }

    func testAQueryReadsWhileTheDaemonRuns() throws {
        let running = try RunningService()
        var sender = try running.sender()
        for number in 0..<20 { try sender.send(greyMessage(number, source: number % 2 == 0 ? "even" : "odd")) }
        let published = try running.assignments(20)
        func query(_ arguments: [String]) throws -> [String] {
            let process = try TestProcess.clusterd(["query", "--journal", running.folder.path] + arguments)
            XCTAssertEqual(process.wait(), 0, "\(process.errors.read { $0.lines })")
            return process.output.read { $0.lines }
        }
        XCTAssertEqual(try query(["--format", "json"]), published.map { String(decoding: $0.body, as: UTF8.self) })
        XCTAssertEqual(try query(["--source", "odd", "--since", "1h", "--format", "csv"]).count, 11)
        XCTAssertEqual(try query(["--id", "7", "--cluster", "0"]).count, 2)
        XCTAssertEqual(try query(["--until", "1h"]), [])
        XCTAssertEqual(
            try query(["--limit", "3", "--format", "json"]),
            published.suffix(3).map { String(decoding: $0.body, as: UTF8.self) })
        let wrong = try TestProcess.clusterd(["query", "--since", "yesterday"])
        XCTAssertEqual(wrong.wait(), 64)
        let none = try TestProcess.clusterd(["query", "--journal", "/nowhere"])
        XCTAssertEqual(none.wait(), 74)
        XCTAssertEqual(
            none.errors.read { $0.lines },
            [
                "clusterd query: cannot open /nowhere/journal.sqlite: there is no journal (name the daemon's journal.directory)"
            ])
    }
}
