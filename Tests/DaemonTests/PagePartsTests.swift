// What the page keeps: pictures within bounds, curves that thin out, a plane through many dimensions, labels of a minute.

import ContrastiveClustering
import Daemon
import Foundation
import XCTest

final class PagePartsTests: XCTestCase {
    private func picture(
        _ id: UInt64, cluster: Int = 0, confidence: Float = 0.5, source: String = "cam", second: Int64 = 0,
        embedding: [Float]? = nil
    ) -> AlbumPicture {
        AlbumPicture(
            id: id, cluster: cluster, confidence: confidence, source: source, received: second * 1_000_000_000,
            embedding: embedding)
    }

    func testAGalleryKeepsTheMostCertainOfLate() {
        var album = PictureAlbum()
        for id in 0..<UInt64(100) {
            album.add(picture(id, confidence: Float(id % 50) / 50), jpeg: [1], isSample: false, isLast: false)
        }
        let kept = album.takeChanges(all: false)[0] ?? []
        XCTAssertEqual(kept.count, PictureAlbum.galleryPictures)
        XCTAssertEqual(Set(kept.map { $0.id % 50 }), Set(38..<50))
        XCTAssertEqual(album.count, PictureAlbum.galleryPictures)
        XCTAssertEqual(album.takeChanges(all: false).count, 0)
        // An hour later even doubtful ones are better than those of before.
        for id in 100..<UInt64(100 + PictureAlbum.galleryPictures) {
            album.add(picture(id, confidence: 0.2, second: 3600), jpeg: [1], isSample: false, isLast: false)
        }
        XCTAssertEqual(album.takeChanges(all: false)[0]?.allSatisfy { $0.id >= 100 }, true)
        XCTAssertNil(album.file(49))
        XCTAssertEqual(album.file(100), [1])
    }

    func testMemoryIsBoundedWhateverComes() {
        var album = PictureAlbum()
        for id in 0..<UInt64(20_000) {
            album.add(
                picture(id, cluster: Int(id % 997), source: "s\(id % 500)", second: Int64(id), embedding: [1, 2]),
                jpeg: [0], isSample: true, isLast: true)
        }
        let bound =
            PictureAlbum.galleries * PictureAlbum.galleryPictures + PictureAlbum.mapPictures + PictureAlbum.senders
        XCTAssertLessThanOrEqual(album.count, bound)
        XCTAssertEqual(album.takeChanges(all: true).count, PictureAlbum.galleries)
        XCTAssertEqual(album.map.count, PictureAlbum.mapPictures)
        XCTAssertEqual(album.lastPictures.count, PictureAlbum.senders)
        album.removeClusters()
        XCTAssertEqual(album.count, PictureAlbum.senders)
        XCTAssertEqual(album.takeChanges(all: false).values.allSatisfy(\.isEmpty), true)
        // Vectors of another model are not put beside these.
        album.add(picture(1 << 40, embedding: [1, 2]), jpeg: [0], isSample: true, isLast: false)
        album.add(picture(2 << 40, embedding: [1, 2, 3]), jpeg: [0], isSample: true, isLast: false)
        XCTAssertEqual(album.map.map(\.id), [2 << 40])
    }

    func testTheMapShowsWhereVectorsSpread() {
        var axes = PrincipalAxes()
        // 37 dimensions, of which two matter: 5 times a sine along one direction, 2 times a cosine along another.
        func vector(_ angle: Float) -> [Float] {
            (0..<37).map { index in
                5 * sin(angle) * (index % 2 == 0 ? 1 : 0) + 2 * cos(angle) * (index % 3 == 1 ? 1 : 0) + 7
            }
        }
        let angles = (0..<60).map { Float($0) / 60 * 2 * .pi }
        let places = axes.project(angles.map(vector))
        // All distances are kept, since there is nothing beyond the plane.
        for (a, b) in [(0, 15), (3, 40), (20, 21)] {
            let far = zip(vector(angles[a]), vector(angles[b])).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            let shown = (places[a] - places[b]) * (places[a] - places[b])
            XCTAssertEqual(shown.sum(), far, accuracy: far * 1e-3)
        }
        func spread(_ values: [Float]) -> Float { values.reduce(0) { $0 + $1 * $1 } }
        XCTAssertGreaterThan(spread(places.map(\.x)), 2 * spread(places.map(\.y)))
        let again = axes.project(angles.map(vector))
        for (before, after) in zip(places, again) {
            XCTAssertEqual(before.x, after.x, accuracy: 1e-2)
            XCTAssertEqual(before.y, after.y, accuracy: 1e-2)
        }
        XCTAssertEqual(axes.project([]), [])
        XCTAssertEqual(axes.project([[1], [2], [3]]), [.zero, .zero, .zero])
        XCTAssertEqual(axes.project(Array(repeating: [1, 1, 1], count: 4)), Array(repeating: .zero, count: 4))
    }

    func testALongHistoryIsThinnedOut() {
        var history = PageHistory()
        var changes: [PageHistory.Change] = []
        for second in 1...Int64(10_000) { changes.append(history.add(.init(time: second, values: [Double(second)]))) }
        XCTAssertEqual(history.recent.map(\.time), Array(9701...10_000))
        XCTAssertEqual(changes.filter { $0 == .thinned }.count, 5)
        XCTAssertLessThan(history.whole.count, PageHistory.capacity)
        XCTAssertGreaterThanOrEqual(history.whole.count, PageHistory.capacity / 2)
        // Evenly spaced over the whole run.
        XCTAssertEqual(Set(zip(history.whole, history.whole.dropFirst()).map { $1.time - $0.time }), [32])
        XCTAssertLessThan(history.whole.first?.time ?? .max, 64)
        XCTAssertGreaterThan(history.whole.last?.time ?? 0, 10_000 - 32)
    }

    func testLabelsOfTheLastMinuteCount() throws {
        var window = LabelWindow()
        func at(_ second: UInt64) -> MonotonicTime { MonotonicTime(nanoseconds: second * 1_000_000_000) }
        window.update(ContingencyTable(), now: at(0))
        XCTAssertNil(window.recent)
        window.update(ContingencyTable(counts: [[20, 20], [20, 20]]), now: at(10))
        XCTAssertEqual(try XCTUnwrap(window.scores).normalizedMutualInformation, 0, accuracy: 1e-6)
        for second in stride(from: UInt64(20), through: 80, by: 10) {
            let images = Int(second) * 5
            window.update(ContingencyTable(counts: [[20 + images, 20], [20, 20 + images]]), now: at(second))
        }
        // What was in the first seconds is forgotten, and since then all went well.
        XCTAssertEqual(try XCTUnwrap(window.scores).accuracy, 1, accuracy: 1e-6)
        // After a relabeling counts begin anew.
        window.update(ContingencyTable(counts: [[3]]), now: at(90))
        XCTAssertEqual(window.recent?.images, 3)
        XCTAssertNil(window.scores)
    }
}
