// IDX files, plain and packed, with and without labels, and every way in which one can be broken.

import Datasets
import StreamProtocol
import XCTest

final class IDXTests: XCTestCase {
    private let pixels = (0..<24).map { UInt8($0) }

    func testPlainAndPackedFilesHoldTheSame() throws {
        let scratch = try Scratch(self)
        let plain = try scratch.write("train-images-idx3-ubyte", idx([4, 2, 3], pixels))
        let packed = try scratch.write("t10k-images-idx3-ubyte.gz", gzip(idx([4, 2, 3], pixels)))
        for (file, name) in [(plain, "train"), (packed, "t10k")] {
            let collection = try ImageCollection(opening: [file])
            XCTAssertEqual(collection.count, 4)
            XCTAssertEqual(
                try collection.entry(at: 3),
                ImageEntry(
                    id: "\(name)/3", encoding: .raw(height: 2, width: 3, channels: 1, color: .gray),
                    payload: Array(pixels[18...])))
        }
    }

    func testColourImagesAreRGB() throws {
        let scratch = try Scratch(self)
        let file = try scratch.write("colour-idx4-ubyte", idx([2, 2, 2, 3], pixels))
        let entry = try ImageCollection(opening: [file]).entry(at: 1)
        XCTAssertEqual(entry.id, "colour/1")
        XCTAssertEqual(entry.encoding, .raw(height: 2, width: 2, channels: 3, color: .rgb))
        XCTAssertEqual(entry.payload, Array(pixels[12...]))
    }

    func testLabelsAreFoundBesideTheImages() throws {
        let scratch = try Scratch(self)
        let packed = try scratch.write("train-images-idx3-ubyte.gz", gzip(idx([4, 2, 3], pixels)))
        try scratch.write("train-labels-idx1-ubyte.gz", gzip(idx([4], [9, 0, 255, 3])))
        let dotted = try scratch.write("test-images.idx3-ubyte", idx([2, 2, 6], pixels))
        try scratch.write("test-labels.idx1-ubyte.gz", gzip(idx([2], [1, 2])))
        let collection = try ImageCollection(opening: [packed, dotted], labelled: true)
        XCTAssertEqual(try (0..<6).map { try collection.label(at: $0) }, [9, 0, 255, 3, 1, 2].map { Label.number($0) })
        XCTAssertEqual(try collection.entry(at: 2).label, .number(255))
        XCTAssertEqual(collection.id(at: 5), "test/1")
    }

    func testAFolderOfIDXFilesIsACollection() throws {
        let scratch = try Scratch(self)
        try scratch.write("train-images-idx3-ubyte.gz", gzip(idx([4, 2, 3], pixels)))
        try scratch.write("train-labels-idx1-ubyte.gz", gzip(idx([4], [1, 2, 3, 4])))
        try scratch.write("t10k-images-idx3-ubyte", idx([1, 4, 6], pixels))
        try scratch.write("t10k-labels-idx1-ubyte", idx([1], [5]))
        let collection = try ImageCollection(opening: [scratch.path], labelled: true)
        XCTAssertEqual(try (0..<5).map { try collection.label(at: $0) }, [5, 1, 2, 3, 4].map { Label.number($0) })
        XCTAssertEqual(collection.id(at: 0), "t10k/0")
    }

    func testNamesDoNotDecideWhetherAFileIsPacked() throws {
        let scratch = try Scratch(self)
        let file = try scratch.write("images-idx3-ubyte.gz", idx([4, 2, 3], pixels))
        XCTAssertEqual(try ImageCollection(opening: [file]).entry(at: 0).payload, Array(pixels[..<6]))
    }

    func testMistakesAreNamed() throws {
        let scratch = try Scratch(self)
        let good = idx([4, 2, 3], pixels)
        func problem(_ bytes: [UInt8], labels: [UInt8]? = nil, _ name: String = "x-images-idx3-ubyte") throws
            -> DatasetError.Reason?
        {
            let file = try scratch.write(name, bytes)
            if let labels { try scratch.write("x-labels-idx1-ubyte", labels) }
            let error = thrown(try ImageCollection(opening: [file], labelled: labels != nil))
            XCTAssertTrue(error?.path.hasPrefix(scratch.path + "/x-") ?? false, "\(String(describing: error))")
            return error?.reason
        }
        func isNotIDX(_ reason: DatasetError.Reason?) -> Bool {
            if case .notIDX = reason { true } else { false }
        }
        func isDamaged(_ reason: DatasetError.Reason?) -> Bool {
            if case .damaged = reason { true } else { false }
        }

        XCTAssertTrue(isNotIDX(try problem([])))
        XCTAssertTrue(isNotIDX(try problem(Array("hello, world".utf8))))
        XCTAssertTrue(isNotIDX(try problem(gzip(Array("hello, world".utf8)))))
        XCTAssertTrue(isNotIDX(try problem([0, 0, 8, 3, 0, 0])))
        XCTAssertTrue(isNotIDX(try problem([0, 0, 0x0D, 3] + good.dropFirst(4))))
        XCTAssertTrue(isNotIDX(try problem(idx([24], pixels))))
        XCTAssertTrue(isNotIDX(try problem(idx([2, 2, 3, 2], pixels))))
        XCTAssertTrue(isNotIDX(try problem(idx([4, 0, 3], pixels))))
        XCTAssertTrue(isNotIDX(try problem(idx([0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF], pixels))))
        // No image at all, each of which would have more bytes than there are numbers.
        XCTAssertTrue(isNotIDX(try problem(idx([0, 0xFFFF_FFFF, 0xFFFF_FFFF], []))))
        XCTAssertTrue(isNotIDX(try problem(idx([0, 0x7FFF_FFFF, 0x7FFF_FFFF, 4], []))))
        XCTAssertEqual(try problem(Array(good.dropLast())), .truncated(expected: 24))
        XCTAssertEqual(try problem(idx([0xFFFF_FFFF, 1, 1], pixels)), .truncated(expected: 0xFFFF_FFFF))
        XCTAssertEqual(try problem(gzip(Array(good.dropLast()))), .truncated(expected: 24))
        XCTAssertEqual(try problem(gzip(idx([1 << 28, 1, 1], pixels))), .truncated(expected: 1 << 28))
        XCTAssertEqual(
            try problem(gzip(idx([0xFFFF_FFFF, 1, 1], pixels))), .tooLarge(bytes: 0xFFFF_FFFF, limit: 2 << 30))

        // Incompressible, so that the cut takes pixels and not only the checksum.
        var state: UInt32 = 1
        let noise = (0..<40_000).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 24)
        }
        let packed = gzip(idx([4, 100, 100], noise))
        XCTAssertEqual(try problem(Array(packed.prefix(20_000))), .truncated(expected: 40_000))
        XCTAssertTrue(isDamaged(try problem(Array(packed.dropLast(4)))))
        var changed = packed
        changed[packed.count - 6] ^= 1
        XCTAssertTrue(isDamaged(try problem(changed)))

        XCTAssertEqual(
            try problem(good, labels: idx([3], [1, 2, 3])), .countsDiffer(images: 4, labels: 3))
        XCTAssertTrue(isNotIDX(try problem(good, labels: good)))
    }

    func testMissingLabelsAreNamed() throws {
        let scratch = try Scratch(self)
        let file = try scratch.write("y-images-idx3-ubyte.gz", gzip(idx([4, 2, 3], pixels)))
        XCTAssertEqual(
            thrown(try ImageCollection(opening: [file], labelled: true))?.reason,
            .noLabels(expectedFile: "y-labels-idx1-ubyte.gz"))
    }
}
