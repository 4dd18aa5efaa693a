// The text that Prometheus reads, letter by letter.

import Telemetry
import XCTest

final class ExpositionTests: XCTestCase {
    func testTheTextIsPrometheussFormat() {
        let registry = MetricRegistry()
        let requests = CounterFamily(labels: 2, known: [["get", "ok"]])
        registry.add(
            .counter("app_requests_total", "Requests, by \"kind\" and \\ result\nof them", labels: ["kind", "result"]),
            requests)
        let heat = Gauge(0.25)
        registry.add(.gauge("app_heat_celsius", "Heat"), heat)
        let time = Histogram(bounds: [0.1, 1, 2.5])
        registry.add(.histogram("app_wait_seconds", "Waiting"), time)
        registry.add([
            .gauge("app_numbers", "All kinds of numbers", labels: ["name"]), .gauge("app_nothing", "No series"),
        ]) {
            let metric = Metric.gauge("app_numbers", "All kinds of numbers", labels: ["name"])
            $0.add(metric, Double.nan, labels: ["nan"])
            $0.add(metric, Double.infinity, labels: ["inf"])
            $0.add(metric, -Double.infinity, labels: ["minus inf"])
            $0.add(metric, 1e300, labels: ["large"])
            $0.add(metric, -1.5e-7, labels: ["small"])
            $0.add(metric, UInt64(1) << 53, labels: ["2^53"])
            $0.add(metric, Float(0.1), labels: ["float"])
            $0.add(metric, true, labels: ["a \"quoted\"\\\r\nvalue, of {braces} and ünïcode"])
        }
        requests.add(3, "put", "failed")
        requests.add(1, "get", "ok")
        for value in [0.05, 0.1, 0.2, 7, .nan, .infinity] { time.record(value) }

        XCTAssertEqual(
            registry.text(),
            #"""
            # HELP app_requests_total Requests, by "kind" and \\ result\nof them
            # TYPE app_requests_total counter
            app_requests_total{kind="get",result="ok"} 1
            app_requests_total{kind="put",result="failed"} 3
            # HELP app_heat_celsius Heat
            # TYPE app_heat_celsius gauge
            app_heat_celsius 0.25
            # HELP app_wait_seconds Waiting
            # TYPE app_wait_seconds histogram
            app_wait_seconds_bucket{le="0.1"} 2
            app_wait_seconds_bucket{le="1"} 3
            app_wait_seconds_bucket{le="2.5"} 3
            app_wait_seconds_bucket{le="+Inf"} 4
            app_wait_seconds_sum 7.35
            app_wait_seconds_count 4
            # HELP app_numbers All kinds of numbers
            # TYPE app_numbers gauge
            app_numbers{name="nan"} NaN
            app_numbers{name="inf"} +Inf
            app_numbers{name="minus inf"} -Inf
            app_numbers{name="large"} 1e+300
            app_numbers{name="small"} -1.5e-07
            app_numbers{name="2^53"} 9007199254740992
            app_numbers{name="float"} 0.1
            app_numbers{name="a \"quoted\"\\CR\nvalue, of {braces} and ünïcode"} 1
            # HELP app_nothing No series
            # TYPE app_nothing gauge

            """#.replacing("CR", with: "\r"))
    }

    func testWhatIsToldAsOneAddsUp() {
        let count = Metric.gauge("app_images", "Count", labels: ["name"])
        let moment = Metric.gauge("app_moment", "Moment", labels: ["name"])
        let registry = MetricRegistry()
        registry.add([count, moment]) { samples in
            for number in 1...4 {
                samples.add(count, number, labels: ["other"])
                samples.raise(moment, Double(number % 4), labels: ["other"])
            }
        }
        XCTAssertTrue(registry.text().contains("app_images{name=\"other\"} 10\n"))
        XCTAssertTrue(registry.text().contains("app_moment{name=\"other\"} 3\n"))
    }

    func testTheProcessIsDescribed() throws {
        let registry = MetricRegistry()
        registry.add(ProcessMetrics.all) { ProcessMetrics.read(into: &$0) }
        func read() -> [String: Double] {
            let lines = registry.text().split(separator: "\n").filter { !$0.hasPrefix("#") }
            return Dictionary(
                uniqueKeysWithValues: lines.map { line in
                    let parts = line.split(separator: " ")
                    return (String(parts[0]), Double(parts[1]) ?? .nan)
                })
        }
        let values = read()
        XCTAssertEqual(Set(values.keys), Set(ProcessMetrics.all.map(\.name)))
        let memory = try XCTUnwrap(values["process_resident_memory_bytes"])
        XCTAssertTrue((1e6...1e11).contains(memory), "\(memory)")
        XCTAssertLessThan(memory, try XCTUnwrap(values["process_virtual_memory_bytes"]))
        let age = Date().timeIntervalSince1970 - (try XCTUnwrap(values["process_start_time_seconds"]))
        XCTAssertTrue((-60...604_800).contains(age), "\(age) s old")
        XCTAssertGreaterThan(try XCTUnwrap(values["process_cpu_seconds_total"]), 0)
        XCTAssertGreaterThanOrEqual(try XCTUnwrap(values["process_threads"]), 1)

        // Other threads may open and close files meanwhile, though hardly each time.
        var differences: [Double] = []
        while differences.count < 20, differences.last != 1 {
            let before = try XCTUnwrap(read()["process_open_fds"])
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/dev/null"))
            differences.append(try XCTUnwrap(read()["process_open_fds"]) - before)
            try file.close()
        }
        XCTAssertEqual(differences.last, 1, "\(differences)")
    }
}
