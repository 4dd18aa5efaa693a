// Folders: what is found in them, in which order, and with which names and labels.

import Datasets
import Foundation
import StreamProtocol
import XCTest

final class FolderTests: XCTestCase {
    private func ids(_ collection: ImageCollection) -> [String] { (0..<collection.count).map { collection.id(at: $0) } }

    func testNamesSortAsPeopleNumberThem() throws {
        let scratch = try Scratch(self)
        for name in [
            "img10.jpg", "img2.jpg", "img02.jpg", "IMG1.JPG", "img2a.png", "b/1.webp", "a/10.jpeg", "a/9.jfif",
        ] {
            try scratch.write(name)
        }
        let collection = try ImageCollection(opening: [scratch.path])
        XCTAssertEqual(
            ids(collection),
            ["IMG1.JPG", "img02.jpg", "img2.jpg", "img2a.png", "img10.jpg", "a/9.jfif", "a/10.jpeg", "b/1.webp"])
    }

    func testOnlyImagesAreTakenAndHiddenNamesAreNot() throws {
        let scratch = try Scratch(self)
        for name in ["a.jpg", "notes.txt", ".hidden.jpg", ".thumbnails/a.jpg", "jpg", "archive.jpg.zip"] {
            try scratch.write(name)
        }
        XCTAssertEqual(ids(try ImageCollection(opening: [scratch.path + "/"])), ["a.jpg"])
    }

    func testFolderNamesAreLabelsWhenAsked() throws {
        let scratch = try Scratch(self)
        try scratch.write("photos/cats/1.jpg")
        try scratch.write("photos/dogs/deep/2.jpg")
        try scratch.write("photos/3.jpg")
        let labelled = try ImageCollection(opening: [scratch.path + "/photos/cats/.."], labelled: true)
        XCTAssertEqual(ids(labelled), ["3.jpg", "cats/1.jpg", "dogs/deep/2.jpg"])
        let labels = try (0..<3).map { try labelled.label(at: $0) }
        XCTAssertEqual(labels, [.text("photos"), .text("cats"), .text("deep")])
        XCTAssertEqual(try labelled.entry(at: 1).label, .text("cats"))
        XCTAssertNil(try ImageCollection(opening: [scratch.path]).label(at: 0))
    }

    func testLoopsOfLinksEndAndLinkedFoldersComeLast() throws {
        let scratch = try Scratch(self)
        let outside = try Scratch(self)
        try outside.write("far.jpg")
        try scratch.write("cats/1.jpg")
        try scratch.link("all", to: "cats")
        try scratch.link("cats/up", to: "..")
        try scratch.link("b-outside", to: outside.path)
        let collection = try ImageCollection(opening: [scratch.path], labelled: true)
        XCTAssertEqual(ids(collection), ["cats/1.jpg", "b-outside/far.jpg"])
        XCTAssertEqual(try collection.label(at: 0), .text("cats"))
        XCTAssertEqual(try collection.label(at: 1), .text("b-outside"))
    }

    func testALinkThatLeadsNowhereIsNamedWhenItIsRead() throws {
        let scratch = try Scratch(self)
        try scratch.link("gone.jpg", to: "nowhere")
        let collection = try ImageCollection(opening: [scratch.path])
        XCTAssertEqual(
            thrown(try collection.entry(at: 0)),
            DatasetError(path: scratch.path + "/gone.jpg", reason: .notFound))
    }

    func testNamesThatAreNotUTF8AreRead() throws {
        let scratch = try Scratch(self)
        let path = Array(scratch.path.utf8) + Array("/caf".utf8) + [0xE9] + Array(".jpg".utf8)
        let file = (path + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { fopen($0.baseAddress!, "w") }
        }
        fputs("latin", file)
        fclose(file)
        let entry = try ImageCollection(opening: [scratch.path]).entry(at: 0)
        XCTAssertEqual(entry.id, "caf\u{FFFD}.jpg")
        XCTAssertEqual(entry.payload, Array("latin".utf8))
    }

    func testSeveralSourcesKeepTheirOrderAndTellTheirFoldersApart() throws {
        let scratch = try Scratch(self)
        try scratch.write("b/1.jpg", [1])
        try scratch.write("a/1.jpg", [2])
        let file = try scratch.write("c.png", [3])
        let collection = try ImageCollection(opening: [scratch.path + "/b", scratch.path + "/a/", file])
        XCTAssertEqual(ids(collection), ["b/1.jpg", "a/1.jpg", file])
        XCTAssertEqual(try (0..<3).map { try collection.entry(at: $0).payload }, [[1], [2], [3]])
    }

    func testFilesWithoutExtensionAreToldByTheirFirstBytes() throws {
        let scratch = try Scratch(self)
        let jpeg = try scratch.write("camera/frame", [0xFF, 0xD8, 0xFF, 0xE0])
        let entry = try ImageCollection(opening: [jpeg], labelled: true).entry(at: 0)
        XCTAssertEqual(
            entry,
            ImageEntry(
                id: jpeg, label: .text("camera"), encoding: .file(format: nil), payload: [0xFF, 0xD8, 0xFF, 0xE0]))
    }

    func testMistakesAreNamed() throws {
        let scratch = try Scratch(self)
        let text = try scratch.write("notes.txt")
        let fifo = scratch.path + "/pipe.jpg"
        XCTAssertEqual(mkfifo(fifo, 0o600), 0)
        let missing = scratch.path + "/missing"
        try scratch.write("empty/notes.txt")
        func problem(_ sources: String...) -> DatasetError? {
            thrown(try ImageCollection(opening: sources))
        }
        XCTAssertEqual(problem(missing), DatasetError(path: missing, reason: .notFound))
        XCTAssertEqual(problem(scratch.path + "/empty"), DatasetError(path: scratch.path + "/empty", reason: .noImages))
        XCTAssertEqual(problem(text), DatasetError(path: text, reason: .unknownFormat))
        XCTAssertEqual(problem(fifo), DatasetError(path: fifo, reason: .notAFile))
        XCTAssertEqual(problem("-", "-"), DatasetError(path: "-", reason: .listNamedTwice))
        XCTAssertEqual(
            problem(missing)?.description, "\(missing): no such file or folder")
    }

    func testAFolderThatMayNotBeReadIsNamedAndTheOthersAreRead() throws {
        try XCTSkipIf(getuid() == 0, "root may read everything")
        let scratch = try Scratch(self)
        try scratch.write("open/1.jpg")
        try scratch.write("closed/2.jpg")
        XCTAssertEqual(chmod(scratch.path + "/closed", 0), 0)
        defer { chmod(scratch.path + "/closed", 0o700) }
        let collection = try ImageCollection(opening: [scratch.path])
        XCTAssertEqual(ids(collection), ["open/1.jpg"])
        XCTAssertEqual(
            collection.unreadable, [DatasetError(path: scratch.path + "/closed", reason: .permissionDenied)])
    }
}
