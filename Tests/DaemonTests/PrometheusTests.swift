// A real Prometheus with the files of deploy/monitoring: it reads them, scrapes a running daemon, and has an answer to every
// query of the dashboard.
//
// `CLUSTERD_SCRAPE_SECONDS=300` has it scrape for five minutes, every four seconds.

import Daemon
import Foundation
import StreamProtocol
import XCTest
import ZeroMQ

final class PrometheusTests: XCTestCase {
    private static let monitoring = repository.appendingPathComponent("deploy/monitoring").path

    func testPromtoolAcceptsConfigurationAndAlertsAndTheAlertsFireWhenTheyShould() throws {
        try promtool(["check", "config", Self.monitoring + "/prometheus.yml"])
        try promtool(["check", "rules", Self.monitoring + "/clusterd-alerts.yml"])
        let said = try promtool(["test", "rules", Self.monitoring + "/clusterd-alerts-test.yml"])
        XCTAssertTrue(said.contains("SUCCESS"), said)
    }

    func testPrometheusScrapesWithoutAGapAndAnswersEveryQueryOfTheDashboard() throws {
        let seconds = ProcessInfo.processInfo.environment["CLUSTERD_SCRAPE_SECONDS"] ?? "16"
        let program = try prometheusProgram("prometheus")
        let running = try RunningService(batchSize: 4) {
            $0.checkpoint.everySteps = 5
            $0.checkpoint.keep = 3
        }
        let listener = try DocumentListener { [service = running.service] in service.metricsText() }
        let folder = try TemporaryFolder()
        // Half an interval too late is a gap: of a second, half passes on a busy machine.
        let configuration = try String(contentsOfFile: Self.monitoring + "/prometheus.yml", encoding: .utf8)
            .replacing("15s", with: "4s").replacing("clusterd:8080", with: "127.0.0.1:\(listener.port)")
            .replacing("- clusterd-alerts.yml", with: "- \(Self.monitoring)/clusterd-alerts.yml")
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: folder.path + "/prometheus.yml"))
        let prometheus = try TestProcess(
            program,
            [
                "--config.file=\(folder.path)/prometheus.yml", "--storage.tsdb.path=\(folder.path)/data",
                "--web.listen-address=127.0.0.1:0",
            ])
        let said = prometheus.line(with: "msg=\"Listening on\"", in: prometheus.errors)
        let port = try XCTUnwrap(said?.firstMatch(of: /127\.0\.0\.1:([1-9][0-9]*)/)?.output.1, "\(said ?? "nothing")")

        // Something goes on for as long as it scrapes: Prometheus knows no rate of what happened before.
        let check = try python(
            "../../../deploy/check-monitoring", ["http://127.0.0.1:\(port)", "--for", seconds])
        let isOver = Monitor(false)
        let waiter = WorkerThread(name: "waiter") {
            _ = check.wait()
            isOver.withLock { $0 = true }
        }
        waiter.start()
        var queue = try running.sender()
        let client = try running.controlClient()
        var number = 0
        while !isOver.read({ $0 }) {
            for _ in 0..<8 {
                // Every ninth is missing, and of every hundred one is no image.
                number += number % 8 == 0 ? 2 : 1
                try queue.send(
                    number % 100 == 0
                        ? message(#"{"v":1}"#, [1, 2, 3])
                        : labelledMessage(number, grey: UInt8(number % 4 * 64)))
            }
            _ = try client.ask("status")
            _ = try client.ask("save")
            // At the heartbeat's pace.
            _ = try running.nextHeartbeat()
            running.forget()
        }
        waiter.join()
        let result = check.output.read { $0.lines } + check.errors.read { $0.lines }
        print(result.joined(separator: "\n"))
        XCTAssertEqual(check.wait(), 0, result.joined(separator: "\n"))
        prometheus.signal(SIGTERM)
        XCTAssertEqual(prometheus.wait(), 0)
    }
}
