// Passes, shuffles and lists: the ways through a collection.

import Datasets
import Foundation
import StreamProtocol
import XCTest

final class StreamTests: XCTestCase {
    private func collection(_ count: Int) throws -> ImageCollection {
        let scratch = try Scratch(self)
        let file = try scratch.write("n-images-idx3-ubyte", idx([count, 1, 1], (0..<count).map { UInt8($0) }))
        return try ImageCollection(opening: [file])
    }

    private func values(_ stream: ImageStream) throws -> [UInt8] {
        try stream.map { try $0.get().payload[0] }
    }

    func testPassesRepeatTheOrder() throws {
        let stream = ImageStream(try collection(3), passes: 2)
        XCTAssertEqual(stream.total, 6)
        XCTAssertEqual(try values(stream), [0, 1, 2, 0, 1, 2])
    }

    func testAnEndlessStreamHasNoTotal() throws {
        let stream = ImageStream(try collection(3), passes: nil)
        XCTAssertNil(stream.total)
        XCTAssertEqual(try stream.prefix(7).map { try $0.get().payload[0] }, [0, 1, 2, 0, 1, 2, 0])
    }

    func testAShuffleIsAPermutationThatItsSeedDecides() throws {
        let collection = try collection(100)
        let once = try values(ImageStream(collection, passes: 2, shuffleSeed: 7))
        XCTAssertEqual(once, try values(ImageStream(collection, passes: 2, shuffleSeed: 7)))
        XCTAssertNotEqual(once, try values(ImageStream(collection, passes: 2, shuffleSeed: 8)))
        let (first, second) = (once[..<100], once[100...])
        XCTAssertEqual(first.sorted(), Array(0..<100))
        XCTAssertEqual(second.sorted(), Array(0..<100))
        XCTAssertNotEqual(Array(first), Array(0..<100))
        XCTAssertNotEqual(Array(first), Array(second))
    }

    func testAnUnreadableImageTakesItsPlaceAsAnError() throws {
        let scratch = try Scratch(self)
        for name in ["1.jpg", "2.jpg", "3.jpg"] { try scratch.write(name) }
        let collection = try ImageCollection(opening: [scratch.path])
        try FileManager.default.removeItem(atPath: scratch.path + "/2.jpg")
        let results = ImageStream(collection).map { $0.map(\.id) }
        XCTAssertEqual(
            results,
            [
                .success("1.jpg"), .failure(DatasetError(path: scratch.path + "/2.jpg", reason: .notFound)),
                .success("3.jpg"),
            ])
    }

    func testAnEndlessStreamEndsWhenItsFilesHaveGone() throws {
        let scratch = try Scratch(self)
        try scratch.write("1.jpg")
        var stream = ImageStream(try ImageCollection(opening: [scratch.path]), passes: nil)
        for _ in 0..<5 { XCTAssertEqual(try stream.next()?.get().id, "1.jpg") }
        try FileManager.default.removeItem(atPath: scratch.path + "/1.jpg")
        let gone = DatasetError(path: scratch.path + "/1.jpg", reason: .notFound)
        XCTAssertEqual(stream.next(), .failure(gone))
        XCTAssertNil(stream.next())
    }

    func testAListIsFollowedWhileItIsWritten() throws {
        let scratch = try Scratch(self)
        let one = try scratch.write("cats/1.jpg", [1])
        let two = try scratch.write("dogs/2.jpg", [2])
        let pipe = Pipe()
        let list = PathList(descriptor: pipe.fileHandleForReading.fileDescriptor)
        var stream = try ImageStream(opening: ["-"], labelled: true, list: list)
        XCTAssertNil(stream.total)

        let writer = pipe.fileHandleForWriting
        try writer.write(contentsOf: Data("\(one)\n\n\(two)".utf8))
        XCTAssertEqual(
            try stream.next()?.get(),
            ImageEntry(id: one, label: .text("cats"), encoding: .file(format: nil), payload: [1]))
        try writer.write(contentsOf: Data("x\nmissing.jpg\n\(two)".utf8))
        XCTAssertEqual(thrown(try stream.next()?.get())?.path, two + "x")
        XCTAssertEqual(thrown(try stream.next()?.get())?.path, "missing.jpg")
        try writer.close()
        XCTAssertEqual(try stream.next()?.get().payload, [2])
        XCTAssertNil(stream.next())
        XCTAssertNil(stream.next())
    }

    func testAListMayBeSeparatedByZeros() throws {
        let scratch = try Scratch(self)
        let odd = try scratch.write("new\nline.jpg", [1])
        let two = try scratch.write("2.jpg", [2])
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data("\(odd)\0\(two)\0".utf8))
        try pipe.fileHandleForWriting.close()
        let list = PathList(descriptor: pipe.fileHandleForReading.fileDescriptor)
        XCTAssertEqual(try values(ImageStream(opening: ["-"], list: list)), [1, 2])
    }

    func testAListMayHoldAddressesOfFilesAndLinesThatAreNone() throws {
        let scratch = try Scratch(self)
        let odd = try scratch.write("ein Käse.jpg", [1])
        let two = try scratch.write("2.jpg", [2])
        let pipe = Pipe()
        let encoded = odd.replacing(" ", with: "%20").replacing("ä", with: "%C3%A4")
        let lines = [
            "file://\(encoded)", "http://host/1.jpg", "FILE://localhost\(two)", "file://elsewhere/1.jpg", "file:///a%0",
            String(repeating: "x", count: 70_000), scratch.path, two,
        ]
        let list = PathList(descriptor: pipe.fileHandleForReading.fileDescriptor)
        let writer = pipe.fileHandleForWriting
        Thread.detachNewThread {
            try? writer.write(contentsOf: Data(lines.joined(separator: "\n").utf8))
            try? writer.close()
        }
        let results = try ImageStream(opening: ["-"], list: list).map { $0 }
        XCTAssertEqual(results.map { (try? $0.get())?.payload }, [[1], nil, [2], nil, nil, nil, nil, [2]])
        XCTAssertEqual((try? results[0].get())?.id, odd)
        let reasons = results.map { result -> DatasetError.Reason? in
            if case .failure(let error) = result { error.reason } else { nil }
        }
        XCTAssertEqual(reasons[1], .notLocal)
        XCTAssertEqual(reasons[3], .notLocal)
        XCTAssertEqual(reasons[4], .notLocal)
        guard case .tooLarge = reasons[5] else { return XCTFail("\(String(describing: reasons[5]))") }
        XCTAssertEqual(reasons[6], .isFolder)
        withExtendedLifetime(pipe) {}
    }

    func testAListOfPathsWithNewlinesMayBeSaidToEndInZeros() throws {
        let scratch = try Scratch(self)
        let odd = try scratch.write("new\nline.jpg", [1])
        let pipe = Pipe()
        let list = PathList(descriptor: pipe.fileHandleForReading.fileDescriptor, endsInZero: true)
        var stream = try ImageStream(opening: ["-"], list: list)
        let writer = pipe.fileHandleForWriting
        // The zero is not in the first bytes that arrive.
        Thread.detachNewThread {
            try? writer.write(contentsOf: Data(odd.utf8))
            usleep(20_000)
            try? writer.write(contentsOf: Data([0]))
            try? writer.close()
        }
        XCTAssertEqual(try stream.next()?.get().payload, [1])
        XCTAssertNil(stream.next())
        withExtendedLifetime(pipe) {}
    }

    func testAListStandsAmongOtherSourcesAndCanBeRepeated() throws {
        let scratch = try Scratch(self)
        let files = try (1...3).map { try scratch.write("\($0).jpg", [UInt8($0)]) }
        func list() throws -> PathList {
            let pipe = Pipe()
            try pipe.fileHandleForWriting.write(contentsOf: Data("\(files[1])\n".utf8))
            try pipe.fileHandleForWriting.close()
            let copy = dup(pipe.fileHandleForReading.fileDescriptor)
            addTeardownBlock { close(copy) }
            return PathList(descriptor: copy)
        }
        let sources = [files[0], "-", files[2]]
        XCTAssertEqual(try values(ImageStream(opening: sources, list: list())), [1, 2, 3])
        let twice = try ImageStream(opening: sources, list: list(), passes: 2)
        XCTAssertEqual(twice.total, 6)
        XCTAssertEqual(try values(twice), [1, 2, 3, 1, 2, 3])
    }

    func testALineWithoutAnEndIsNoPath() throws {
        let scratch = try Scratch(self)
        let line = try scratch.write("list", [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20))
        let descriptor = open(line, O_RDONLY)
        defer { close(descriptor) }
        var stream = try ImageStream(opening: ["-"], list: PathList(descriptor: descriptor))
        guard case .failure(let error)? = stream.next(), case .tooLarge(let bytes, limit: 65_536) = error.reason else {
            return XCTFail("the line is taken")
        }
        XCTAssertLessThan(bytes, 200_000, "it is read to its end all the same")
        XCTAssertNil(stream.next())
    }

    func testAListThatIsNoLongerWantedEnds() throws {
        let (pipe, cancel) = (Pipe(), Pipe())
        let list = PathList(
            descriptor: pipe.fileHandleForReading.fileDescriptor,
            cancellation: cancel.fileHandleForReading.fileDescriptor)
        try cancel.fileHandleForWriting.write(contentsOf: Data([1]))
        var stream = try ImageStream(opening: ["-"], list: list)
        XCTAssertNil(stream.next())
        withExtendedLifetime((pipe, cancel)) {}
    }
}
