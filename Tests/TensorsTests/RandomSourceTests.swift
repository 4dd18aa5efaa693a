// The random source: the published sequence, independent streams, and the moments of its distributions.

import Tensors
import XCTest

final class RandomSourceTests: XCTestCase {
    func testSameSeedSameNumbersOtherStreamOthers() {
        var a = RandomSource(seed: 42, stream: 7, 3), b = RandomSource(seed: 42, stream: 7, 3)
        var c = RandomSource(seed: 42, stream: 7, 4), d = RandomSource(seed: 43, stream: 7, 3)
        let first = (0..<100).map { _ in a.next() }
        XCTAssertEqual(first, (0..<100).map { _ in b.next() })
        XCTAssertNotEqual(first, (0..<100).map { _ in c.next() })
        XCTAssertNotEqual(first, (0..<100).map { _ in d.next() })
    }

    func testMoments() {
        var random = RandomSource(seed: 3)
        let count = 200_000
        let uniform = (0..<count).map { _ in Double(random.uniform()) }
        XCTAssertTrue(uniform.allSatisfy { $0 >= 0 && $0 < 1 })
        XCTAssertEqual(uniform.reduce(0, +) / Double(count), 0.5, accuracy: 0.003)
        let normal = (0..<count).map { _ in Double(random.normal()) }
        XCTAssertEqual(normal.reduce(0, +) / Double(count), 0, accuracy: 0.01)
        XCTAssertEqual(normal.reduce(0) { $0 + $1 * $1 } / Double(count), 1, accuracy: 0.015)
        XCTAssertEqual(normal.reduce(0) { $0 + pow($1, 4) } / Double(count), 3, accuracy: 0.15)
    }

    func testArenasAndPlans() {
        var plan = ArenaPlan()
        let places = [plan.reserve(3), plan.reserve(0), plan.reserve(17)]
        XCTAssertEqual(places, [0, 16, 16])
        let arena = Arena(count: plan.count)
        XCTAssertTrue(arena.values.allSatisfy { $0 == 0 })
        XCTAssertEqual(UInt(bitPattern: arena.base) % 64, 0)
    }
}
