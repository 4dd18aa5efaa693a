// Every kind of file against what Pillow makes of it (Fixtures/decoding_reference.py), and raw pixels.

import Dispatch
import Imaging
import XCTest

final class DecodingTests: XCTestCase {
    private let decoder = ImageDecoder()

    func testEveryKindOfFile() throws {
        let fixture = try FixtureFile("decoding")
        let names = fixture.names(endingIn: ".pixels")
        XCTAssertGreaterThan(names.count, 40)
        for name in names {
            let expected = try fixture.picture("\(name).pixels")
            let picture = try decoder.decode(fixture.bytes("\(name).bytes"))
            XCTAssertEqual(picture.width, expected.width, name)
            XCTAssertEqual(picture.height, expected.height, name)
            // Only JPEG and lossy WebP leave a decoder a choice.
            let isExact = name.hasPrefix("png") || name == "webp_lossless" || name == "webp_alpha"
            XCTAssertEqual(picture.share(within: isExact ? 0 : 2, of: expected), 1, name)
        }
    }

    func testManyThreadsDecodeAtOnce() throws {
        let fixture = try FixtureFile("decoding")
        let files = try fixture.names(endingIn: ".pixels").map { try fixture.bytes("\($0).bytes") }
        let expected = try files.map { try decoder.decode($0) }
        DispatchQueue.concurrentPerform(iterations: 10 * files.count) { round in
            let at = round % files.count
            XCTAssertEqual(try? ImageDecoder().decode(files[at]), expected[at])
        }
    }

    func testAnAnimationIsRefused() throws {
        let bytes = try FixtureFile("decoding").bytes("webp_animated.bytes")
        XCTAssertThrowsError(try decoder.decode(bytes)) {
            XCTAssertEqual(($0 as? ImageError)?.reason, "animated-webp")
        }
    }

    func testFormatsAreToldFromTheFirstBytes() throws {
        let fixture = try FixtureFile("decoding")
        XCTAssertEqual(ImageDecoder.format(of: try fixture.bytes("jpeg_grey.bytes")), .jpeg)
        XCTAssertEqual(ImageDecoder.format(of: try fixture.bytes("png_grey.bytes")), .png)
        XCTAssertEqual(ImageDecoder.format(of: try fixture.bytes("webp_lossy.bytes")), .webp)
        XCTAssertNil(ImageDecoder.format(of: Array("GIF89a".utf8)))
        XCTAssertNil(ImageDecoder.format(of: []))
    }

    func testALargeJPEGCanBeDecodedSmaller() throws {
        let bytes = try FixtureFile("augmentation").bytes("jpeg_90.bytes")  // 160 x 120
        let whole = try decoder.decode(bytes)
        for (shorterSide, width, height) in [(121, 160, 120), (61, 160, 120), (60, 80, 60), (30, 40, 30), (1, 20, 15)] {
            let picture = try decoder.decode(bytes, shorterSide: shorterSide)
            XCTAssertEqual([picture.width, picture.height], [width, height])
            // The picture has sharp discs, at whose edges the two ways of filtering differ.
            XCTAssertGreaterThan(picture.share(within: 16, of: whole.resized(width: width, height: height)), 0.7)
        }
    }

    func testRawPixels() throws {
        let rgb: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
        func read(_ bytes: [UInt8], _ channels: Int, _ order: ImageDecoder.ChannelOrder) throws -> [UInt8] {
            try decoder.raw(bytes, height: 2, width: 2, channels: channels, order: order).pixels
        }
        XCTAssertEqual(try read(rgb, 3, .rgb), rgb)
        XCTAssertEqual(try read(rgb, 3, .bgr), [3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10])
        XCTAssertEqual(try read([1, 2, 3, 4], 1, .gray), [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4])
        XCTAssertEqual(try read([1, 2, 3, 4], 1, .bgr), [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4])
        XCTAssertEqual(
            try read([1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0, 10, 11, 12, 0], 4, .bgr),
            [3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10])
    }

    func testRawPixelsThatDoNotFitTheirShape() {
        func reason(_ count: Int, _ height: Int, _ width: Int, _ channels: Int) -> String? {
            do throws(ImageError) {
                _ = try decoder.raw(
                    [UInt8](repeating: 0, count: count), height: height, width: width, channels: channels, order: .rgb)
                return nil
            } catch {
                return error.reason
            }
        }
        XCTAssertNil(reason(12, 2, 2, 3))
        XCTAssertEqual(reason(11, 2, 2, 3), "shape-mismatch")
        XCTAssertEqual(reason(0, 2, 2, 3), "empty")
        XCTAssertEqual(reason(8, 2, 2, 2), "unsupported-channels")
        XCTAssertEqual(reason(12, 2, 2, Int.max), "unsupported-channels")
        XCTAssertEqual(reason(3, 1, 1, 3), "too-small")
        XCTAssertEqual(reason(12, -2, -2, 3), "too-small")
        XCTAssertEqual(reason(12, Int.max, Int.max, 3), "too-large")
        XCTAssertEqual(reason(12, 30_000, 30_000, 3), "too-many-pixels")
    }
}
