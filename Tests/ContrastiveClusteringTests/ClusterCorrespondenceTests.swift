// Which cluster is which: the map between two models' clusters.

import ContrastiveClustering
import XCTest

final class ClusterCorrespondenceTests: XCTestCase {
    func testRenamedClustersAreFound() {
        let before = (0..<100).map { $0 % 5 }
        let found = ClusterCorrespondence(from: before, to: before.map { ($0 + 2) % 5 }, clusters: 5)
        XCTAssertEqual(found.map, [2, 3, 4, 0, 1])
        XCTAssertEqual(found.agreement, 1)
    }

    func testTheMajorityDecidesAndNoTwoShareACluster() {
        // Cluster 0 goes to 1 by three to one; cluster 1 would too by two to one, but 1 is taken.
        let found = ClusterCorrespondence(
            from: [0, 0, 0, 0, 1, 1, 1], to: [1, 1, 1, 0, 1, 1, 2], clusters: 4)
        XCTAssertEqual(found.map, [1, 2, nil, nil])
        XCTAssertEqual(found.agreeing, 4)
        XCTAssertEqual(found.images, 7)
    }

    func testWhatNoImageTellsStaysOpen() {
        let found = ClusterCorrespondence(from: [3, 3], to: [0, 0], clusters: 10_000)
        XCTAssertEqual(found.map.compactMap { $0 }, [0])
        XCTAssertEqual(found.map[3], 0)
        let none = ClusterCorrespondence(from: [], to: [], clusters: 3)
        XCTAssertEqual(none.map, [nil, nil, nil])
        XCTAssertNil(none.agreement)
    }
}
