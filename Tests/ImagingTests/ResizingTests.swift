// Pictures of another size.

import Imaging
import XCTest

final class ResizingTests: XCTestCase {
    func testAPictureThatIsSmallEnoughStaysItself() {
        let image = RGBImage.test(width: 40, height: 30)
        XCTAssertEqual(image.reduced(shorterSide: 30), image)
        XCTAssertEqual(image.reduced(shorterSide: 1000), image)
    }

    func testReducingKeepsTheAspect() {
        func size(_ width: Int, _ height: Int, to side: Int) -> [Int] {
            let picture = RGBImage.test(width: width, height: height).reduced(shorterSide: side)
            return [picture.width, picture.height]
        }
        XCTAssertEqual(size(640, 480, to: 224), [299, 224])
        XCTAssertEqual(size(48, 64, to: 32), [32, 43])
        XCTAssertEqual(size(3, 1000, to: 2), [2, 667])
        XCTAssertEqual(size(5, 5, to: 1), [1, 1])
    }

    func testEveryPixelCountsInAReduction() {
        // A fine checkerboard becomes even grey, where sampling without a filter would keep black or white.
        let pixels = (0..<64 * 64 * 3).map { (at: Int) -> UInt8 in (at / 3 % 64 + at / 192) % 2 == 0 ? 0 : 255 }
        let reduced = RGBImage(width: 64, height: 64, pixels: pixels).reduced(shorterSide: 16)
        for y in 1..<15 {
            for x in 1..<15 { XCTAssertEqual(Double(reduced.pixels[3 * (16 * y + x)]), 127.5, accuracy: 1) }
        }
    }

    func testResizingToTheSameSizeChangesNothing() {
        let image = RGBImage.test(width: 37, height: 21)
        for kernels in everyKernels {
            XCTAssertEqual(image.resized(width: 37, height: 21, box: nil, kernels: kernels), image)
        }
    }

    func testAPlainViewIsTheResizedPicture() {
        let image = RGBImage.test(width: 61, height: 45)
        let renderer = ViewRenderer(side: 24)
        let view = [Float](unsafeUninitializedCapacity: 24 * 24 * 3) { out, count in
            renderer.renderResized(image, into: out.baseAddress!)
            count = 24 * 24 * 3
        }
        XCTAssertEqual(view.share(within: 0, of: image.resized(width: 24, height: 24)), 1)
    }

    func testABoxIsResizedAsIfItWereAPictureOfItsOwn() {
        let image = RGBImage.test(width: 61, height: 45)
        let box = CropBox(left: 7, top: 5, width: 30, height: 20)
        var pixels: [UInt8] = []
        for y in 5..<25 { pixels += image.pixels[3 * (61 * y + 7)..<3 * (61 * y + 37)] }
        let cut = RGBImage(width: 30, height: 20, pixels: pixels)
        XCTAssertEqual(image.resized(width: 12, height: 44, box: box), cut.resized(width: 12, height: 44))
    }
}
