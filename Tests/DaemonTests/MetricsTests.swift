// The metrics of a running daemon: right, well formed, few, and cheap to ask for.

import Daemon
import Foundation
import StreamProtocol
import Telemetry
import XCTest
import ZeroMQ

/// A grey picture with a label, in clusterd's dialect.
func labelledMessage(_ number: Int, grey: UInt8, source: String = "cam") -> [[UInt8]] {
    let header =
        #"{"v":1,"id":"\#(number)","seq":\#(number),"label":\#(grey / 64),"#
        + #""format":"raw","shape":[2,2],"dtype":"uint8","color":"gray"}"#
    return message(header, Array(repeating: grey, count: 4), source: source)
}

extension RunningService {
    /// Has something happen of everything that there are metrics of, and returns once it has.
    func live() throws {
        var queue = try sender()
        for number in 1...40 { try queue.send(labelledMessage(number, grey: UInt8(number % 4 * 64))) }
        // Ten are missing, one comes again, one is no image.
        try queue.send(labelledMessage(51, grey: 1))
        try queue.send(labelledMessage(51, grey: 1))
        try queue.send(labelledMessage(52, grey: 1))
        try queue.send(labelledMessage(53, grey: 1))
        _ = try assignments(44)
        training.waitForTrained(11)
        try queue.send(message(#"{"v":1}"#, [1, 2, 3], source: "broken"))
        while true { if case .rejected = try next() { break } }
        let client = try controlClient()
        _ = try client.ask("save")
        _ = try client.ask("replay", ["from": JSON(1), "limit": JSON(2)])
        XCTAssertThrowsError(try client.ask("reload", ["id": .string("step-000000999")]))
        _ = try client.ask("reload", ["id": .string("step-000000011")])
    }
}

final class MetricsTests: XCTestCase {
    private func liveService() throws -> RunningService {
        let running = try RunningService(batchSize: 4) {
            $0.checkpoint.everySteps = 5
            $0.checkpoint.keep = 100
        }
        try running.live()
        return running
    }

    func testTheMetricsAreWhatHasHappened() throws {
        let running = try liveService()
        running.service.waitUntilWarm()
        let scrape = Scrape(running.service.metricsText())
        let expected: [String: Double] = [
            #"clusterd_build_info{version="\#(clusterdVersion)"#: 1,
            "clusterd_ready": 1,
            #"clusterd_problem{problem="collapsed"}"#: 0,
            #"clusterd_messages_received_total{source="cam"}"#: 44,
            #"clusterd_messages_received_total{source="broken"}"#: 1,
            #"clusterd_messages_received_total{source="stream"}"#: 0,
            #"clusterd_images_admitted_total{source="cam"}"#: 44,
            #"clusterd_images_rejected_total{source="broken",reason="not-an-image"}"#: 1,
            #"clusterd_images_dropped_total{source="stream",reason="dropped-oldest"}"#: 0,
            #"clusterd_images_missing_total{source="cam"}"#: 10,
            #"clusterd_images_duplicate_total{source="cam"}"#: 1,
            #"clusterd_source_open{source="cam"}"#: 1,
            #"clusterd_queue_limit_images{queue="queue"}"#: 1024,
            #"clusterd_connections{endpoint="publish"}"#: 1,
            #"clusterd_connections{endpoint="sources.stream"}"#: 0,
            #"clusterd_handshake_failures_total{endpoint="control",reason="denied"}"#: 0,
            "clusterd_images_assigned_total": 44,
            "clusterd_images_trained_total": 44,
            "clusterd_training_steps_total": 11,
            "clusterd_skipped_steps_total": 0,
            "clusterd_training_paused": 0,
            "clusterd_training_buffer_limit_images": 8,
            "clusterd_label_epoch": 1,
            "clusterd_checkpoint_step": 11,
            #"clusterd_reloads_total{operation="reload",result="ok"}"#: 1,
            #"clusterd_reloads_total{operation="reload",result="not-found"}"#: 1,
            #"clusterd_reloads_total{operation="rollback",result="refused"}"#: 0,
            #"clusterd_control_requests_total{operation="replay",result="ok"}"#: 1,
            #"clusterd_control_requests_total{operation="save",result="ok"}"#: 1,
            #"clusterd_checkpoint_writes_total{result="failed"}"#: 0,
            "clusterd_journal_lost_assignments_total": 0,
            "clusterd_decode_duration_seconds_count": 45,
            "clusterd_assign_batch_images_sum": 44,
            "clusterd_receive_to_publish_seconds_count": 44,
            #"clusterd_receive_to_publish_seconds_bucket{le="+Inf"}"#: 44,
            #"clusterd_receive_to_publish_seconds_bucket{le="60"}"#: 44,
            "clusterd_train_step_duration_seconds_count": 11,
        ]
        for (series, value) in expected {
            let found = scrape[series] ?? scrape.values.first { $0.key.hasPrefix(series + "\",") }?.value
            XCTAssertEqual(found, value, series)
        }
        let writes = try XCTUnwrap(scrape[#"clusterd_checkpoint_writes_total{result="ok"}"#])
        XCTAssertGreaterThanOrEqual(writes, 2)
        XCTAssertEqual(scrape["clusterd_checkpoint_write_duration_seconds_count"], writes)
        let age = Date().timeIntervalSince1970 - (scrape["clusterd_checkpoint_timestamp_seconds"] ?? 0)
        XCTAssertTrue((-1...60).contains(age), "\(age) s")
        XCTAssertGreaterThan(scrape["clusterd_journal_bytes"] ?? 0, 1000)

        running.service.stop()
        XCTAssertEqual(Scrape(running.service.metricsText())["clusterd_ready"], 0)
    }

    func testClustersAndTheirAgreementWithLabels() throws {
        let running = try RunningService(batchSize: 4) { $0.checkpoint.everySteps = 2 }
        XCTAssertNil(Scrape(running.service.metricsText())[#"clusterd_label_agreement_ratio{score="nmi"}"#])
        var sender = try running.sender()
        // Clusters are grey values' quarters, and so are the labels.
        for number in 0..<40 { try sender.send(labelledMessage(number, grey: UInt8(number % 4 * 64))) }
        _ = try running.assignments(40)
        running.training.waitForTrained(10)
        let client = try running.controlClient()
        _ = try client.ask("save")
        // What an assignment is counted in follows its publishing; control requests follow each other.
        var scrape = Scrape(running.service.metricsText())
        while scrape["clusterd_images_assigned_total"] != 40 {
            _ = try running.nextHeartbeat()
            scrape = Scrape(running.service.metricsText())
        }
        for cluster in 0..<4 {
            XCTAssertEqual(scrape[#"clusterd_cluster_images_total{cluster="\#(cluster)"}"#], 10)
            XCTAssertEqual(scrape[#"clusterd_cluster_recent_images{cluster="\#(cluster)"}"#], 10)
        }
        XCTAssertEqual(scrape["clusterd_cluster_entropy_ratio"] ?? 0, 1, accuracy: 1e-9)
        XCTAssertEqual(scrape["clusterd_cluster_largest_share_ratio"], 0.25)
        for score in ["nmi", "acc", "ari"] {
            let found = scrape[#"clusterd_label_agreement_ratio{score="\#(score)"}"#]
            XCTAssertEqual(found ?? 0, 1, accuracy: 1e-9, score)
        }
        XCTAssertEqual(scrape["clusterd_labelled_images"], 40)
        let losses = try ["instance", "cluster", "entropy", "total"].map {
            try XCTUnwrap(scrape[#"clusterd_loss{part="\#($0)"}"#])
        }
        XCTAssertEqual(losses[0] + losses[1] + losses[2], losses[3], accuracy: 1e-3)
        // The first checkpoints may have been written when there were too few images to compare them on. That one was
        // not, nor is the next.
        for number in 40..<44 { try sender.send(labelledMessage(number, grey: UInt8(number % 4 * 64))) }
        running.training.waitForTrained(11)
        _ = try client.ask("save")
        XCTAssertNotNil(
            Scrape(running.service.metricsText())["clusterd_churn_ratio"],
            "there are two checkpoints, and images to compare them on")
    }

    func testSendersThatInventNamesMakeABoundedText() throws {
        let running = try RunningService()
        var sender = try running.sender()
        for number in 0..<400 { try sender.send(greyMessage(number % 200, source: "stranger\(number)")) }
        _ = try running.assignments(400)
        let scrape = Scrape(running.service.metricsText())
        let received = scrape.values.filter { $0.key.hasPrefix("clusterd_messages_received_total") }
        XCTAssertLessThanOrEqual(received.count, 102)
        XCTAssertEqual(received.values.reduce(0, +), 400)
        XCTAssertGreaterThanOrEqual(received[#"clusterd_messages_received_total{source="other"}"#] ?? 0, 300)
        let latest = scrape.values.filter { $0.key.hasPrefix("clusterd_source_last_image_timestamp_seconds") }
        XCTAssertTrue(latest.values.allSatisfy { abs($0 - Date().timeIntervalSince1970) < 60 }, "no sum of moments")

        // Nobody may notice that somebody scrapes.
        let clock = ContinuousClock()
        let best = (0..<5).map { _ in clock.measure { _ = running.service.metricsText() } }.min() ?? .seconds(9)
        print("a text of \(running.service.metricsText().utf8.count) bytes takes \(best)")
        XCTAssertLessThan(best, .milliseconds(100))
    }

    func testPromtoolFindsNothingToMend() throws {
        let text = try liveService().service.metricsText()
        // Outside of the assertion, which would make a failure of the skip where the tool is missing.
        let said = try promtool(["check", "metrics"], input: text)
        XCTAssertEqual(said, "")
    }

    // MARK: Documents

    private static func contents(_ path: String) throws -> String {
        try String(contentsOf: repository.appendingPathComponent(path), encoding: .utf8)
    }

    func testTheDocumentHasEveryMetricAsTheCodeHasIt() throws {
        let running = try RunningService()
        let metrics = running.service.knownMetrics
        XCTAssertEqual(Scrape(running.service.metricsText()).names, metrics.map(\.name), "all are in the text")
        let rows = metrics.map { metric in
            let labels = metric.labels.isEmpty ? "–" : metric.labels.map { "`\($0)`" }.joined(separator: ", ")
            return "| `\(metric.name)` | \(metric.kind.rawValue) | \(labels) | \(metric.help) |"
        }
        let lines = try Self.contents("docs/metrics.md").split(separator: "\n").map(String.init)
        let missing = rows.filter { !lines.contains($0) }
        XCTAssertEqual(missing, [], "to be put in docs/metrics.md:\n" + missing.joined(separator: "\n"))
        let documented = lines.filter { $0.wholeMatch(of: /\| `[a-z_]+` \| (counter|gauge|histogram) \|.*/) != nil }
        XCTAssertEqual(documented.filter { !rows.contains($0) }, [], "to be taken out of docs/metrics.md")
    }

    func testDashboardAlertsAndDocumentsNameMetricsThatThereAre() throws {
        let metrics = try RunningService().service.knownMetrics
        let histograms = metrics.filter { $0.kind == .histogram }.map(\.name)
        let known = Set(
            metrics.map(\.name) + histograms.flatMap { name in ["_bucket", "_sum", "_count"].map { name + $0 } })
        let files = [
            "deploy/monitoring/clusterd-alerts.yml", "deploy/monitoring/clusterd-alerts-test.yml",
            "deploy/monitoring/grafana/dashboards/clusterd.json", "docs/metrics.md",
        ]
        for file in files {
            let names = try Self.contents(file).matches(of: /\b(?:clusterd|process)_[a-z0-9_]+/).map {
                String($0.output)
            }
            XCTAssertGreaterThan(names.count, 20, file)
            XCTAssertEqual(Set(names).subtracting(known).sorted(), [], file)
        }
        let dashboard = try Self.contents("deploy/monitoring/grafana/dashboards/clusterd.json")
        let unseen = metrics.map(\.name).filter { !dashboard.contains($0) }
        XCTAssertEqual(unseen, ["process_virtual_memory_bytes", "process_max_fds"], "not on the dashboard")
    }

    func testTheDocumentSaysWhatToDoAboutEachAlert() throws {
        let alerts = try Self.contents("deploy/monitoring/clusterd-alerts.yml").matches(of: /- alert: (\w+)/).map {
            String($0.output.1)
        }
        XCTAssertGreaterThan(alerts.count, 20)
        let document = try Self.contents("docs/metrics.md").matches(of: /(?m)^\| `(Clusterd\w+)` \| .{10}/).map {
            String($0.output.1)
        }
        XCTAssertEqual(document, alerts)
    }
}
