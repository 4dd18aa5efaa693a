// Plans by lifetimes: what lives at the same time never overlaps, and what does not shares memory.

import Tensors
import XCTest

final class LifetimePlanTests: XCTestCase {
    func testTensorsOfOneOperationLieBesideEachOther() {
        var plan = LifetimePlan()
        let (a, b, c) = (plan.add(100), plan.add(1), plan.add(32))
        plan.use([a, b])
        plan.use([b, c])
        let placement = plan.placed()
        XCTAssertEqual(placement.offsets[a], 0)
        XCTAssertEqual(placement.offsets[c], 0, "a is no longer used when c begins to be")
        XCTAssertEqual(placement.offsets[b], 112, "on a cache line of its own")
        XCTAssertEqual(placement.count, 128)
        XCTAssertEqual(plan.largestUse, 128)
    }

    func testWhatIsUsedAgainStays() {
        var plan = LifetimePlan()
        let (kept, passing, other) = (plan.add(16), plan.add(16), plan.add(16))
        plan.use([kept])
        plan.use([passing])
        plan.use([other])
        plan.use([kept])
        let placement = plan.placed()
        XCTAssertEqual(placement.offsets[passing], placement.offsets[other])
        XCTAssertNotEqual(placement.offsets[kept], placement.offsets[passing])
        XCTAssertEqual(placement.count, 32)
    }

    func testRandomPlans() {
        var random = RandomSource(seed: 1)
        func draw(below bound: Int) -> Int { min(bound - 1, Int(random.uniform() * Float(bound))) }
        for round in 0..<200 {
            var plan = LifetimePlan()
            let sizes = (0..<1 + draw(below: 40)).map { _ in draw(below: 1_000) }
            let numbers = sizes.map { plan.add($0) }
            XCTAssertEqual(numbers, Array(sizes.indices))
            var operations: [Set<Int>] = []
            for _ in 0..<1 + draw(below: 60) {
                operations.append(Set((0..<draw(below: 5)).map { _ in draw(below: sizes.count) }))
                plan.use(Array(operations.last!))
            }
            let placement = plan.placed()
            XCTAssertEqual(placement.offsets.count, sizes.count)
            let lives = numbers.map { number in
                (
                    first: operations.firstIndex { $0.contains(number) } ?? Int.max,
                    last: operations.lastIndex { $0.contains(number) } ?? -1
                )
            }
            for a in numbers {
                XCTAssertEqual(placement.offsets[a] % 16, 0)
                XCTAssertLessThanOrEqual(placement.offsets[a] + sizes[a], placement.count)
                for b in 0..<a where lives[a].first <= lives[b].last && lives[b].first <= lives[a].last {
                    let isApart =
                        placement.offsets[a] + sizes[a] <= placement.offsets[b]
                        || placement.offsets[b] + sizes[b] <= placement.offsets[a]
                    XCTAssertTrue(isApart, "round \(round): \(a) and \(b)")
                }
            }
            XCTAssertGreaterThanOrEqual(placement.count, plan.largestUse)
        }
    }
}
