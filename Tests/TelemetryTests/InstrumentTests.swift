// Counting right, also from many threads, and never more series than promised.

import Foundation
import Telemetry
import XCTest

final class InstrumentTests: XCTestCase {
    func testAHistogramHasEachValueInTheFirstBucketThatReachesIt() {
        let bounds = [0.001, 0.01, 0.1, 1, 10]
        let histogram = Histogram(bounds: bounds)
        var random = SystemRandomNumberGenerator()
        let values = (0..<2000).map { _ in pow(10, Double.random(in: -4...2, using: &random)) } + bounds + [0, -1]
        histogram.record(values.prefix(1000))
        values.dropFirst(1000).forEach { histogram.record($0) }
        let snapshot = histogram.snapshot
        for (index, bound) in bounds.enumerated() {
            XCTAssertEqual(
                snapshot.counts.prefix(index + 1).reduce(0, +), UInt64(values.count { $0 <= bound }), "at most \(bound)"
            )
        }
        XCTAssertEqual(snapshot.count, UInt64(values.count))
        XCTAssertEqual(snapshot.sum, values.reduce(0, +), accuracy: 1e-6)
    }

    func testNothingIsLostBetweenThreads() {
        let (counter, family, histogram) = (Counter(), CounterFamily(labels: 1), Histogram(bounds: [1, 2]))
        let registry = MetricRegistry()
        let metric = Metric.histogram("app_size_bytes", "Size")
        registry.add(metric, histogram)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for round in 0..<5000 {
                counter.add()
                family.add(2, "thread \(thread % 2)")
                histogram.record(Double(round % 3))
                if round % 500 == 0 {
                    // What is read in between belongs together.
                    let snapshot = histogram.snapshot
                    XCTAssertLessThanOrEqual(snapshot.sum, 2 * Double(snapshot.count))
                    XCTAssertTrue(registry.text().contains("app_size_bytes_bucket"))
                }
            }
        }
        XCTAssertEqual(counter.value, 40_000)
        XCTAssertEqual(family.value("thread 0"), 40_000)
        XCTAssertEqual(family.value("thread 1"), 40_000)
        XCTAssertEqual(histogram.snapshot.count, 40_000)
        XCTAssertEqual(histogram.snapshot.sum, 8 * (0..<5000).reduce(0.0) { $0 + Double($1 % 3) })
    }

    func testStrangersWordsMakeNoMoreSeriesThanPromised() {
        let values = LabelValues(limit: 3, known: ["door"])
        XCTAssertEqual(values.folded("cam1"), "cam1")
        XCTAssertEqual(values.folded(String(repeating: "x", count: LabelValues.maximumBytes + 1)), LabelValues.other)
        XCTAssertEqual(values.folded("cam2"), "cam2")
        for number in 3..<10_000 { XCTAssertEqual(values.folded("cam\(number)"), LabelValues.other) }
        for known in ["cam1", "cam2", "door"] {
            XCTAssertEqual(values.folded(known), known, "kept once, kept for ever")
        }

        let family = CounterFamily(labels: 1, limit: 5)
        for number in 0..<1000 { family.add(1, "name\(number)") }
        let registry = MetricRegistry()
        registry.add(.counter("app_names_total", "Names", labels: ["name"]), family)
        XCTAssertEqual(registry.text().split(separator: "\n").count, 2 + 5 + 1)
        XCTAssertEqual(family.value(LabelValues.other), 995)
    }

    func testThousandsOfSeriesAreToldInMilliseconds() {
        let registry = MetricRegistry()
        let metric = Metric.counter("app_things_total", "Things", labels: ["name", "reason"])
        registry.add([metric]) { samples in
            for number in 0..<5000 { samples.add(metric, number, labels: ["name\(number)", "reason"]) }
        }
        _ = registry.text()
        let clock = ContinuousClock()
        let best = (0..<3).map { _ in clock.measure { XCTAssertGreaterThan(registry.text().utf8.count, 100_000) } }
            .min()
        // Some 10 ms with optimisation; less than the ten seconds that a scrape may take in any case.
        XCTAssertLessThan(best ?? .seconds(9), .seconds(5))
    }
}
