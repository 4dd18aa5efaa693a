// The metrics against scikit-learn and SciPy (Fixtures/metrics_reference.py made the numbers), and where those
// conventions are easy to miss: degenerate tables, rectangular tables, counts whose products pass 64 bits.

import ContrastiveClustering
import Foundation
import Tensors
import XCTest

final class MetricsTests: XCTestCase {
    private struct Case: Decodable {
        let name: String
        let labels: [Int]
        let clusters: [Int]
        let nmi: Double
        let ari: Double
        let acc: Double
        let fowlkes_mallows: Double
    }

    func testEveryReferenceCase() throws {
        let url = try XCTUnwrap(Bundle.module.url(forResource: "Fixtures/metrics", withExtension: "json"))
        let cases = try JSONDecoder().decode([Case].self, from: Data(contentsOf: url))
        XCTAssertEqual(cases.count, 11)
        for reference in cases {
            let scores = try XCTUnwrap(ClusteringScores(labels: reference.labels, clusters: reference.clusters))
            XCTAssertEqual(scores.images, reference.labels.count, reference.name)
            XCTAssertEqual(scores.normalizedMutualInformation, reference.nmi, accuracy: 1e-9, reference.name)
            XCTAssertEqual(scores.adjustedRandIndex, reference.ari, accuracy: 1e-9, reference.name)
            XCTAssertEqual(scores.accuracy, reference.acc, accuracy: 1e-9, reference.name)
            XCTAssertEqual(scores.fowlkesMallows, reference.fowlkes_mallows, accuracy: 1e-9, reference.name)
        }
    }

    func testNoImagesHaveNoScores() {
        XCTAssertNil(ClusteringScores(ContingencyTable()))
        XCTAssertNil(ClusteringScores(ContingencyTable(counts: [[0, 0], [0, 0]])))
        XCTAssertNil(ClusteringScores(labels: [Int](), clusters: [Int]()))
    }

    func testEmptyRowsAndColumnsDoNotCount() throws {
        let plain = try XCTUnwrap(ClusteringScores(ContingencyTable(counts: [[3, 1], [0, 4]])))
        let padded = ContingencyTable(counts: [[0, 0, 0, 0], [3, 0, 1], [], [0, 0, 4, 0]])
        XCTAssertEqual(ClusteringScores(padded), plain)
        XCTAssertEqual(ClusteringScores(ContingencyTable(counts: [[0, 7, 0]]))?.normalizedMutualInformation, 1)
    }

    func testAStreamOfPairsGivesTheSameTable() {
        var table = ContingencyTable()
        for (row, column) in [(0, 2), (1, 0), (0, 2), (3, 1)] { table.add(row: row, column: column) }
        XCTAssertEqual(table, ContingencyTable(counts: [[0, 0, 2], [1], [], [0, 1]]))
        XCTAssertEqual(table.images, 4)
        XCTAssertEqual(table.columnSums, [1, 1, 2])
    }

    /// Scores do not depend on how many times the whole table is repeated, save for the pairs of an image with itself:
    /// the reference is the limit of infinitely many.
    func testTenMillionImagesDoNotOverflow() throws {
        let small = [[70, 10, 20], [5, 80, 15], [25, 25, 50]]
        let scaled = small.map { $0.map { $0 * 100_000 } }
        let scores = try XCTUnwrap(ClusteringScores(ContingencyTable(counts: scaled)))
        XCTAssertEqual(scores.images, 30_000_000)
        let n = 300.0
        let sum = { (counts: [Int]) in counts.reduce(0.0) { $0 + Double($1 * $1) } / (n * n) }
        let both = sum(small.flatMap { $0 })
        let labels = sum(small.map { $0.reduce(0, +) })
        let clusters = sum((0..<3).map { column in small.reduce(0) { $0 + $1[column] } })
        let ari = (both - labels * clusters) / ((labels + clusters) / 2 - labels * clusters)
        XCTAssertEqual(scores.adjustedRandIndex, ari, accuracy: 1e-6)
        XCTAssertEqual(scores.fowlkesMallows, both / (labels * clusters).squareRoot(), accuracy: 1e-6)
        XCTAssertEqual(scores.accuracy, 200.0 / 300, accuracy: 1e-12)
    }

    func testLinearAssignmentFindsTheBestOfAllPermutations() {
        var random = RandomSource(seed: 3)
        for (rows, columns) in [(1, 1), (3, 3), (2, 5), (5, 2), (4, 6), (6, 4)] {
            for _ in 0..<20 {
                let costs = (0..<rows).map { _ in (0..<columns).map { _ in Int.random(in: -9...9, using: &random) } }
                let match = linearAssignment(rows: rows, columns: columns) { costs[$0][$1] }
                XCTAssertEqual(match.count(where: { $0 != nil }), min(rows, columns))
                XCTAssertEqual(Set(match.compactMap { $0 }).count, min(rows, columns))
                let cost = zip(costs, match).reduce(0) { sum, pair in sum + (pair.1.map { pair.0[$0] } ?? 0) }
                XCTAssertEqual(cost, bestCost(costs, rows: rows, columns: columns))
            }
        }
        XCTAssertEqual(linearAssignment(rows: 0, columns: 3) { _, _ in 0 }, [])
        XCTAssertEqual(linearAssignment(rows: 2, columns: 0) { _, _ in 0 }, [nil, nil])
    }

    /// The lowest cost, by trying everything.
    private func bestCost(_ costs: [[Int]], rows: Int, columns: Int) -> Int {
        func search(_ row: Int, _ used: Set<Int>, _ skips: Int) -> Int {
            guard row < rows else { return 0 }
            var best = skips > 0 ? search(row + 1, used, skips - 1) : Int.max
            for column in 0..<columns where !used.contains(column) {
                let rest = search(row + 1, used.union([column]), skips)
                if rest < Int.max { best = min(best, costs[row][column] + rest) }
            }
            return best
        }
        return search(0, [], max(0, rows - columns))
    }
}
