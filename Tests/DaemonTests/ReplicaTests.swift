// A replica beside its trainer, both in this process with simple learners: what it takes, what it refuses, what it says.

import Checkpoints
import ContrastiveClustering
import Daemon
import Foundation
import StreamProtocol
import Tensors
import XCTest
import ZeroMQ

final class ReplicaTests: XCTestCase {
    /// A replica of `trainer`, or of nobody.
    private func replica(
        of trainer: RunningService?, folder: TemporaryFolder? = nil, announcementInterval: Double = 30,
        change: (inout Configuration) -> Void = { _ in }
    ) throws -> RunningService {
        try RunningService(folder: folder, announcementInterval: announcementInterval) {
            follow(trainer, &$0)
            change(&$0)
        }
    }

    private func follow(_ trainer: RunningService?, _ configuration: inout Configuration) {
        configuration.mode = .replica
        configuration.replica.subscribe = trainer?.endpoints.publisher ?? "tcp://127.0.0.1:1"
        configuration.replica.control = trainer?.endpoints.control ?? "tcp://127.0.0.1:1"
    }

    /// A trainer that has learnt and written a checkpoint.
    private func trainer(
        _ folder: TemporaryFolder? = nil, announcementInterval: Double = 30,
        change: (inout Configuration) -> Void = { _ in }
    ) throws -> RunningService {
        let trainer = try RunningService(folder: folder, announcementInterval: announcementInterval, change: change)
        try learn(trainer)
        return trainer
    }

    /// Has a trainer learn from 40 images, ten of each cluster, and write a checkpoint.
    @discardableResult
    private func learn(_ trainer: RunningService) throws -> String {
        let trained = trainer.training.trained.count
        var sender = try trainer.sender()
        for number in 0..<40 { try sender.send(greyMessage(number, grey: UInt8(number % 4 * 64 + number / 4))) }
        _ = try trainer.assignments(40)
        trainer.training.waitForTrained(trained + 10)
        return try XCTUnwrap(try trainer.controlClient().ask("save")["checkpoint.id"]?.text)
    }

    /// Waits until the replica's status satisfies `condition`.
    private func status(
        _ replica: RunningService, _ what: String, until condition: (ControlReply) -> Bool
    ) throws -> ControlReply {
        let client = try replica.controlClient()
        let deadline = MonotonicTime.now.advanced(bySeconds: 30)
        while true {
            let status = try client.ask("status")
            if condition(status) { return status }
            guard MonotonicTime.now < deadline else {
                XCTFail("\(what): \(status["replica"].map { "\($0)" } ?? "-")")
                return status
            }
            // Each heartbeat, every 20 ms, is a look.
            _ = try replica.nextHeartbeat()
        }
    }

    private func send(_ grey: [UInt8], to service: RunningService) throws -> [AssignmentMessage] {
        var sender = try service.sender()
        for (number, value) in grey.enumerated() { try sender.send(greyMessage(number, grey: value)) }
        return try service.assignments(grey.count)
    }

    func testItServesWhatItsTrainerHasWrittenAndGoesAlong() throws {
        let trainer = try trainer()
        // The announcement may come among the assignments: it comes again soon.
        let replica = try replica(of: trainer, announcementInterval: 0.05)
        let first = try send([10, 100, 250], to: replica)
        XCTAssertEqual(first.map(\.cluster), [0, 1, 3])
        XCTAssertEqual(first.map(\.sequence), [1, 2, 3])
        XCTAssertEqual(Set(first.map(\.step)), [10])
        XCTAssertEqual(Set(first.map(\.model)), ["step-000000010"])
        XCTAssertNotEqual(first[0].epoch, try send([10], to: trainer)[0].epoch, "its journal is its own")
        // The replica announces what it holds, and hands it out.
        XCTAssertEqual(try replica.nextCheckpoint().id, "step-000000010")

        let second = try learn(trainer)
        // It is counted when it serves already.
        let status = try status(replica, "the second checkpoint") {
            $0["model.id"]?.text == second && $0["replica.taken"] == JSON(2)
        }
        XCTAssertEqual(status["mode"]?.text, "replica")
        XCTAssertEqual(status["health.ok"], .bool(true))
        XCTAssertEqual(status["replica.lag_steps"], JSON(0))
        XCTAssertEqual(status["training"], .null)
        XCTAssertEqual(try send([100], to: replica)[0].model, second)
        XCTAssertEqual(replica.training.trained, [])
        XCTAssertEqual(try replica.folder.checkpoints, ["step-000000010.safetensors", "\(second).safetensors"])
    }

    func testClusterNumbersAreTheTrainersAndTheMapIsPassedOn() throws {
        let trainer = try trainer()
        let replica = try replica(of: trainer)
        XCTAssertEqual(try send([10], to: replica)[0].cluster, 0)
        let folder = try TemporaryFolder()
        let store = try CheckpointStore(directory: folder.path, keep: 5) { XCTFail("\($0)") }
        let tensors = [("weight", Float(0)), ("rotation", 1)].map {
            NamedTensor(name: $0, shape: [1], elements: .float32([$1]))
        }
        let other = try store.write(
            LearnerState(step: 7, tensors: tensors, random: "1"),
            model: CheckpointModel(architecture: "resnet34", imageSize: 224, clusters: 4, featureDim: 128))
        let reply = try trainer.controlClient().ask("reload", ["path": .string(other.path)])
        while true {
            guard case .relabeling(let relabeling) = try replica.next() else { continue }
            XCTAssertEqual(JSON.object(relabeling.members), reply["relabeling"])
            XCTAssertEqual(relabeling.map, [1, 2, 3, 0])
            break
        }
        let assignment = try send([10], to: replica)[0]
        XCTAssertEqual([assignment.cluster, assignment.labelEpoch, Int(assignment.step)], [1, 1, 7])
        // Also who comes later knows what became of cluster numbers, from the checkpoint itself.
        let late = try self.replica(of: trainer)
        XCTAssertEqual(try send([10], to: late)[0].labelEpoch, 1)
        XCTAssertEqual(
            try late.controlClient().ask("status")["model.relabeling"], reply["relabeling"])
    }

    func testImagesWaitForTheFirstModelAndNoneIsAnsweredUnverified() throws {
        let trainer = try RunningService()
        let replica = try replica(of: trainer)
        let client = try replica.controlClient()
        var patient = try replica.sender(.push)
        for number in 0..<3 { try patient.send(greyMessage(number, grey: 100)) }
        let status = try status(replica, "silence") { $0["replica.silent"] == .bool(false) }
        XCTAssertEqual(status["model"], .null)
        XCTAssertEqual(status["health.problems"], .array([.string("no-model")]))
        XCTAssertEqual(try client.ask("status")["assigning.images"], JSON(0))
        try learn(trainer)
        XCTAssertEqual(try replica.assignments(3).map(\.cluster), [1, 1, 1])
        XCTAssertEqual(try client.ask("status")["health.ok"], .bool(true))
    }

    func testAStopWithoutAModelSaysWhatBecomesOfTheImages() throws {
        let replica = try replica(of: nil)
        var hasty = try replica.sender(.pub, source: RunningService.stream)
        // A subscription takes its time: one by one until the first has come.
        let client = try replica.controlClient()
        var sent = 0
        while try client.ask("status")["queues"]?.elements?[0].members?["images"] == JSON(0) {
            try hasty.send(greyMessage(sent))
            sent += 1
        }
        replica.service.stop()
        let summary = replica.service.summary
        XCTAssertEqual(summary.assigned, 0)
        XCTAssertEqual(summary.rejected, ["no-model": summary.admitted])
        XCTAssertGreaterThan(summary.admitted, 0)
    }

    /// Has a replica with its state in `folder` take its trainer's model in and assign one image, and ends both.
    private func serveOnce(from folder: TemporaryFolder) throws {
        let trainer = try trainer()
        let replica = try replica(of: trainer, folder: folder)
        _ = try send([100], to: replica)
        replica.service.stop()
    }

    func testARestartServesAtOnceThoughTheTrainerHasGone() throws {
        let folder = try TemporaryFolder()
        try serveOnce(from: folder)
        let replica = try replica(of: nil, folder: folder)
        let assignment = try send([100], to: replica)[0]
        XCTAssertEqual([assignment.cluster, Int(assignment.step), Int(assignment.sequence)], [1, 10, 2])
        let status = try status(replica, "nobody answers") { $0["replica.failure"] != .null }
        XCTAssertEqual(status["health.problems"], .array([.string("trainer-silent")]))
    }

    func testADamagedCheckpointIsRefusedAndTheOldModelServes() throws {
        let trainer = try trainer(announcementInterval: 0.05)
        let folder = try TemporaryFolder()
        do {
            let replica = try replica(of: trainer, folder: folder)
            _ = try send([100], to: replica)
        }
        // The trainer's file changes after it was announced; it is announced again as it was.
        let path = trainer.folder.path + "/" + (try learn(trainer)) + ".safetensors"
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        var flipped = bytes
        flipped[bytes.count - 3] ^= 1
        try flipped.write(to: URL(fileURLWithPath: path))
        let again = try self.replica(of: trainer, folder: folder)
        let status = try status(again, "a refusal") { $0["replica.failure.refused"] == .bool(true) }
        XCTAssertTrue(status["health.problems"]?.elements?.contains(.string("checkpoint-refused")) ?? false)
        XCTAssertEqual(status["model.step"], JSON(10))
        XCTAssertEqual(try send([100], to: again)[0].step, 10)
        XCTAssertEqual(try again.folder.checkpoints, ["step-000000010.safetensors"])
        // What comes whole is taken.
        let third = try learn(trainer)
        _ = try self.status(again, "the next one") { $0["model.id"]?.text == third && $0["health.ok"] == .bool(true) }
    }

    func testAModelOfAnotherShapeOrCollapsedIsRefused() throws {
        let trainer = try trainer()
        let other = try replica(of: trainer) { $0.model.clusters = 5 }
        let status = try status(other, "a refusal") { $0["replica.failure.refused"] == .bool(true) }
        XCTAssertTrue(status["replica.failure.reason"]?.text?.contains("4 clusters") ?? false, "\(status.members)")
        XCTAssertEqual(status["model"], .null)
        XCTAssertEqual(try other.folder.checkpoints, [])

        let replica = try replica(of: trainer)
        _ = try send((0..<40).map { UInt8($0 % 4 * 64 + $0) }, to: replica)
        // A model that gives everything to one cluster, as a trainer would announce it.
        let collapsed = try TemporaryFolder()
        do {
            let store = try CheckpointStore(directory: collapsed.path, keep: 5) { XCTFail("\($0)") }
            let tensors = [("weight", Float(0)), ("rotation", -1)].map {
                NamedTensor(name: $0, shape: [1], elements: .float32([$1]))
            }
            _ = try store.write(
                LearnerState(step: 99, tensors: tensors, random: "1"),
                model: CheckpointModel(architecture: "resnet34", imageSize: 224, clusters: 4, featureDim: 128))
        }
        let (publisher, control) = (trainer.endpoints.publisher, trainer.endpoints.control)
        trainer.service.stop()
        let worse = try RunningService(folder: collapsed) {
            $0.publish.endpoint = publisher
            $0.controlEndpoint = control ?? ""
        }
        let refusal = try self.status(replica, "a refusal") { $0["replica.failure.refused"] == .bool(true) }
        XCTAssertTrue(refusal["replica.failure.reason"]?.text?.contains("collapsed") ?? false, "\(refusal.members)")
        XCTAssertEqual(try send([100], to: replica)[0].cluster, 1)
        withExtendedLifetime(worse) {}
    }

    func testWhatATrainerDoesIsRefusedWithTheReason() throws {
        let replica = try replica(of: nil)
        let client = try replica.controlClient()
        for operation in ["save", "pause", "resume", "reload", "rollback"] {
            XCTAssertThrowsError(try client.ask(operation)) {
                XCTAssertEqual(($0 as? ControlFailure)?.code, "refused")
                XCTAssertTrue("\($0)".contains("replica"), "\($0)")
            }
        }
    }

    // MARK: Ready and well

    /// Waits until `path` of the page answers with `status`, and returns what it says; fails where it does not.
    @discardableResult
    private func page(_ replica: RunningService, _ path: String, is status: Int, line: UInt = #line) throws -> String {
        let address = try replica.page() + path
        let deadline = MonotonicTime.now.advanced(bySeconds: 30)
        while true {
            let answer = try askPage(address)
            let text = String(decoding: answer.body, as: UTF8.self)
            if answer.status == status { return text }
            guard MonotonicTime.now < deadline else {
                XCTFail("\(path): \(answer.status) \(text)", line: line)
                return text
            }
            // Each heartbeat, every 20 ms, is a look.
            _ = try replica.nextHeartbeat()
        }
    }

    /// What `/readyz` says; fails where the metric says otherwise before and after it.
    private func isReady(_ replica: RunningService) throws -> Bool {
        func metric() -> Bool { replica.service.metricsText().contains("\nclusterd_ready 1\n") }
        let before = metric()
        let isReady = try askPage(try replica.page() + "readyz").status == 200
        // A daemon that changes in between may say both.
        if metric() == before { XCTAssertEqual(before, isReady, "the metric says otherwise") }
        return isReady
    }

    func testItIsReadyOnceItHasAModelThatWasFoundGood() throws {
        let trainer = try RunningService()
        let replica = try replica(of: trainer) { $0.httpListen = "127.0.0.1:0" }
        let other = try self.replica(of: trainer) {
            $0.httpListen = "127.0.0.1:0"
            $0.model.clusters = 5
        }
        for service in [replica, other] {
            service.service.waitUntilWarm()
            _ = try status(service, "silence") { $0["replica.silent"] == .bool(false) }
            XCTAssertFalse(try isReady(service))
            XCTAssertEqual(try page(service, "readyz", is: 503), "not ready\n")
            XCTAssertEqual(try page(service, "healthz", is: 200), "ok\n")
        }
        try learn(trainer)
        try page(replica, "readyz", is: 200)
        XCTAssertTrue(try isReady(replica))
        XCTAssertEqual(try send([100], to: replica)[0].step, 10)
        // One whose model is another has been offered the same checkpoint, and has none to answer with.
        _ = try status(other, "a refusal") { $0["replica.refused"] == JSON(1) }
        XCTAssertFalse(try isReady(other))
        try page(other, "healthz", is: 200)
        // Without its trainer it answers on.
        trainer.service.stop()
        XCTAssertEqual(try send([250], to: replica)[0].cluster, 3)
        XCTAssertTrue(try isReady(replica))
    }

    func testItIsReadyAgainAfterARestartOnceItIsWarm() throws {
        let folder = try TemporaryFolder()
        try serveOnce(from: folder)
        let replica = try replica(of: nil, folder: folder) { $0.httpListen = "127.0.0.1:0" }
        XCTAssertFalse(try isReady(replica), "nobody has waited for the first answer yet")
        replica.service.waitUntilWarm()
        XCTAssertTrue(try isReady(replica))
        XCTAssertEqual(try send([100], to: replica)[0].step, 10)
        // With a socket that cannot be bound nothing answers, not even that it is not ready.
        let taken = replica.endpoints.publisher
        let (logger, _) = MemoryLog.logger()
        var configuration = RunningService.configuration(try TemporaryFolder())
        follow(nil, &configuration)
        configuration.publish.endpoint = taken
        let page = try replica.page().dropFirst("http://".count).dropLast()
        replica.service.stop()
        var holder = try replica.context.socket(.pub)
        _ = try holder.bind(taken)
        configuration.httpListen = String(page)
        let late = try Service(configuration: configuration, logger: logger) { _ in LearnerHandover(BrightnessLearner())
        }
        XCTAssertThrowsError(try late.start())
        XCTAssertThrowsError(try askPage("http://\(page)/readyz"))
        late.stop()
    }

    func testItsHealthSaysThatAWorkerHangsAndThatItGoesOn() throws {
        let (trainer, gate) = (try trainer(), Gate(isOpen: true))
        // Patience of 0.12 seconds with assigning.
        let replica = try RunningService(
            patience: 0.002,
            change: {
                follow(trainer, &$0)
                $0.httpListen = "127.0.0.1:0"
            },
            makeLearner: { role, _ in
                LearnerHandover(
                    role == .probing ? BrightnessLearner() : BrightnessLearner(assigningGate: gate))
            })
        replica.service.waitUntilWarm()
        _ = try send([100], to: replica)
        try page(replica, "healthz", is: 200)

        gate.close()
        var sender = try replica.sender()
        try sender.send(greyMessage(1, grey: 250))
        gate.waitForArrival()
        let health = try page(replica, "healthz", is: 503)
        XCTAssertTrue(health.hasPrefix("assigning hangs: its thread has not run for "), health)
        gate.open()
        XCTAssertEqual(try replica.assignments(1).map(\.cluster), [3])
        XCTAssertEqual(try page(replica, "healthz", is: 200), "ok\n")

        // While it stops it takes no more images.
        XCTAssertTrue(try isReady(replica))
        gate.close()
        try sender.send(greyMessage(2, grey: 250))
        gate.waitForArrival()
        let stop = WorkerThread(name: "stop") { [service = replica.service] in service.stop() }
        stop.start()
        let deadline = MonotonicTime.now.advanced(bySeconds: 30)
        while try isReady(replica), MonotonicTime.now < deadline { usleep(10_000) }
        XCTAssertFalse(try isReady(replica))
        gate.open()
        stop.join()
        XCTAssertEqual(replica.service.summary.assigned, 3)
    }
}
