// Bytes that are no whole picture: each must be a typed error, and nothing may crash, hang or eat memory.

import Imaging
import Tensors
import XCTest

final class HostileInputTests: XCTestCase {
    private func reason(_ bytes: [UInt8], limits: ImageLimits = ImageLimits()) -> String? {
        do throws(ImageError) {
            _ = try ImageDecoder(limits: limits).decode(bytes)
            return nil
        } catch {
            XCTAssertFalse(error.description.isEmpty)
            return error.reason
        }
    }

    private func bigEndian(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }

    func testWhatIsNotAPicture() {
        XCTAssertEqual(reason([]), "empty")
        XCTAssertEqual(reason([0]), "not-an-image")
        XCTAssertEqual(reason(Array("hello, this is no picture".utf8)), "not-an-image")
        XCTAssertEqual(reason([UInt8](repeating: 0, count: 100_000)), "not-an-image")
    }

    func testEveryTruncation() throws {
        let fixture = try FixtureFile("decoding")
        for (name, format, signature) in [
            ("jpeg_sampling_2", "jpeg", 2), ("jpeg_progressive", "jpeg", 2), ("jpeg_cmyk", "jpeg", 2),
            ("png_rgb", "png", 4),
            ("png_adam7", "png", 4), ("webp_lossy", "webp", 4), ("webp_lossless", "webp", 4),
        ] {
            let bytes = try fixture.bytes("\(name).bytes")
            for length in 1..<bytes.count {
                XCTAssertEqual(
                    reason(Array(bytes[..<length])), length < signature ? "not-an-image" : "truncated-\(format)",
                    "\(name), \(length) of \(bytes.count) bytes")
            }
        }
    }

    func testAJPEGWithAHoleIsNotHalfAPicture() throws {
        let bytes = try FixtureFile("augmentation").bytes("jpeg_90.bytes")
        let hole = Array(bytes[..<(bytes.count / 2)]) + [0xFF, 0xD9]
        XCTAssertEqual(reason(hole), "corrupt-jpeg")
    }

    func testDeclaredSizesAreCheckedBeforeAnythingIsAllocated() throws {
        let fixture = try FixtureFile("decoding")
        // 100,000 x 100,000 and 40,000 x 30,000 pixels in the header of a small file.
        var png = try fixture.bytes("png_rgb.bytes")
        png.replaceSubrange(16..<24, with: bigEndian(100_000) + bigEndian(100_000))
        XCTAssertEqual(reason(png), "too-large")
        png.replaceSubrange(16..<24, with: bigEndian(30_000) + bigEndian(30_000))
        XCTAssertEqual(reason(png), "too-many-pixels")
        png.replaceSubrange(16..<24, with: bigEndian(0xFFFF_FFFF) + bigEndian(1))
        XCTAssertEqual(reason(png), "too-small")

        var jpeg = try fixture.bytes("jpeg_sampling_0.bytes")
        let frame = try XCTUnwrap((0..<jpeg.count).first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
        jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0xEA, 0x60, 0xEA, 0x60])
        XCTAssertEqual(reason(jpeg), "too-large")
        jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0x75, 0x30, 0x75, 0x30])
        XCTAssertEqual(reason(jpeg), "too-many-pixels")
        jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0, 1, 0, 1])
        XCTAssertEqual(reason(jpeg), "too-small")

        let small = ImageLimits(maxBytes: 10_000, maxPixels: 500, maxSide: 1000)
        for name in ["jpeg_sampling_0", "png_rgb", "webp_lossy"] {
            XCTAssertEqual(reason(try fixture.bytes("\(name).bytes"), limits: small), "too-many-pixels", name)
        }
        XCTAssertEqual(
            reason(try fixture.bytes("jpeg_2x2.bytes"), limits: ImageLimits(maxBytes: 100)), "too-many-bytes")
    }

    func testASinglePixelIsTooSmall() throws {
        // PNG of one pixel: signature, IHDR with any checksum, which is not looked at before the size.
        let header: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8)
        let png = header + bigEndian(1) + bigEndian(1) + [8, 2, 0, 0, 0] + bigEndian(0)
        XCTAssertEqual(reason(png), "too-small")
        let fixture = try FixtureFile("decoding")
        XCTAssertNil(reason(try fixture.bytes("jpeg_2x2.bytes")))
        XCTAssertEqual(reason(try fixture.bytes("jpeg_2x2.bytes"), limits: ImageLimits(minSide: 3)), "too-small")
    }

    func testDamagedChecksums() throws {
        var png = try FixtureFile("decoding").bytes("png_rgb.bytes")
        png[png.count / 2] ^= 0x55
        XCTAssertEqual(reason(png), "corrupt-png")
    }

    func testRandomMutationsNeverCrash() throws {
        let fixture = try FixtureFile("decoding")
        let files = try fixture.names(endingIn: ".bytes").map { try fixture.bytes("\($0).bytes") }
        var random = RandomSource(seed: 20210202)
        var refused = 0
        // Mutated sizes are mostly enormous; a smaller limit keeps the test quick.
        let decoder = ImageDecoder(limits: ImageLimits(maxPixels: 1_000_000))
        for round in 0..<4000 {
            var bytes = files[round % files.count]
            for _ in 0...Int.random(in: 0..<8, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
                default: if bytes.count > 1 { bytes.remove(at: at) }
                }
            }
            do throws(ImageError) {
                let picture = try decoder.decode(bytes, shorterSide: round % 3 == 0 ? 10 : nil)
                XCTAssertLessThanOrEqual(picture.width * picture.height, 1_000_000)
            } catch {
                refused += 1
            }
        }
        XCTAssertGreaterThan(refused, 1000)
    }

    func testRandomBytesBehindASignature() {
        var random = RandomSource(seed: 7)
        let signatures: [[UInt8]] = [
            [0xFF, 0xD8, 0xFF], [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], Array("RIFF0000WEBPVP8 ".utf8),
            Array("RIFF0000WEBPVP8L".utf8),
        ]
        for round in 0..<2000 {
            let count = Int.random(in: 0..<300, using: &random)
            let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            XCTAssertNotNil(reason(signatures[round % signatures.count] + noise))
        }
    }

    func testErrorsDoNotLeak() throws {
        let fixture = try FixtureFile("decoding")
        let files = try ["jpeg_progressive", "png_rgba", "webp_lossy"].map { try fixture.bytes("\($0).bytes") }
        func residentBytes() throws -> Int {
            let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
            return Int(text.split(separator: " ")[1])! * 4096
        }
        var refused = 0
        func decodeDamaged() {
            for file in files {
                var damaged = file
                for at in stride(from: file.count / 2, to: file.count - 20, by: 7) { damaged[at] ^= 0xFF }
                if reason(damaged) != nil { refused += 1 }
            }
        }
        for _ in 0..<200 { decodeDamaged() }
        let before = try residentBytes()
        for _ in 0..<3000 { decodeDamaged() }
        XCTAssertGreaterThanOrEqual(refused, 6400)
        // A leaked decoder of libjpeg, libpng or libwebp is tens of kilobytes; allocators keep some megabytes, a sanitizer's more.
        XCTAssertLessThan(try residentBytes() - before, 20 << 20)
    }
}
