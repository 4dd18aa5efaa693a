// Every instruction set against the plain reference, on awkward sizes.

import CKernels
import Imaging
import Tensors
import XCTest

final class KernelTests: XCTestCase {
    private let chain: [ColorOperation] = [.contrast(1.6), .hue(-0.13), .saturation(1.7), .brightness(0.9)]

    func testViewsAgreeWithThePlainReference() {
        let boxes: [(RGBImage, CropBox)] = [
            (.test(width: 1, height: 1), CropBox(left: 0, top: 0, width: 1, height: 1)),
            (.test(width: 3, height: 1000), CropBox(left: 0, top: 0, width: 3, height: 1000)),
            (.test(width: 1000, height: 3), CropBox(left: 1, top: 1, width: 999, height: 2)),
            (.test(width: 33, height: 17), CropBox(left: 32, top: 16, width: 1, height: 1)),
            (.test(width: 33, height: 17), CropBox(left: 5, top: 3, width: 28, height: 14)),
            (.test(width: 101, height: 67), CropBox(left: 0, top: 0, width: 101, height: 67)),
        ]
        for (image, box) in boxes {
            for (width, height) in [(1, 1), (1, 5), (2, 3), (7, 5), (32, 32), (57, 31)] {
                for (colors, sigma) in [([], 0.7), (chain, 0), (chain + [.greyscale], 1.9)]
                    as [([ColorOperation], Float)]
                {
                    let parameters = ViewParameters(
                        crop: box, isFlipped: width % 2 == 1, colors: colors,
                        blur: sigma > 0 ? GaussianBlur(kernelSize: 23, sigma: sigma) : nil)
                    let plain = render(image, parameters, width: width, height: height, kernels: .plain)
                    XCTAssertTrue(plain.allSatisfy { (-1e-6...1 + 1e-6).contains($0) })
                    for kernels in everyKernels.dropFirst() {
                        let view = render(image, parameters, width: width, height: height, kernels: kernels)
                        // A sum that lies between two levels may be rounded to either, and a hue then differ by a step.
                        let close = zip(plain, view).count { abs($0 - $1) < 1.01 / 255 }
                        XCTAssertGreaterThanOrEqual(
                            Double(close), 0.99 * Double(plain.count),
                            "\(kernels): \(image.width) x \(image.height), \(parameters) to \(width) x \(height)")
                        XCTAssertLessThan(zip(plain, view).map { abs($0 - $1) }.max()!, 0.1)
                    }
                }
            }
        }
    }

    func testColorOperationsAgreeOnEveryKindOfPixel() {
        // Every 29th of the 2^24 colours, in a picture that no vector width divides.
        let side = 761
        var pixels = [UInt8](repeating: 0, count: side * side * 3)
        for pixel in 0..<side * side {
            let color = UInt32(pixel) &* 29 & 0xFF_FFFF
            for channel in 0..<3 { pixels[3 * pixel + channel] = UInt8(color >> (8 * channel) & 255) }
        }
        let image = RGBImage(width: side, height: side, pixels: pixels)
        for operation in [.hue(0.21), .saturation(1.8), .contrast(0.3), .brightness(1.31), .greyscale]
            as [ColorOperation]
        {
            var parameters = ViewParameters(wholeOf: image)
            parameters.colors = [operation]
            let plain = render(image, parameters, width: side, height: side, kernels: .plain)
            for kernels in everyKernels.dropFirst() {
                let view = render(image, parameters, width: side, height: side, kernels: kernels)
                let different = zip(plain, view).count { $0 != $1 }
                if case .hue = operation {
                    XCTAssertLessThan(Double(different), 1e-3 * Double(plain.count), "\(operation), \(kernels)")
                } else {
                    XCTAssertEqual(different, 0, "\(operation), \(kernels)")
                }
            }
        }
    }

    func testNothingIsWrittenBesideTheView() {
        let image = RGBImage.test(width: 50, height: 40)
        let parameters = ViewParameters(
            crop: CropBox(left: 1, top: 2, width: 48, height: 38), colors: chain,
            blur: GaussianBlur(kernelSize: 3, sigma: 1))
        for kernels in everyKernels {
            for side in [1, 2, 3, 5, 16, 31, 33] {
                for parameters in [parameters, ViewParameters(wholeOf: image)] {
                    var memory = [Float](repeating: -7, count: side * side * 3 + 64)
                    memory.withUnsafeMutableBufferPointer {
                        ViewRenderer(width: side, height: side, kernels: kernels)
                            .render(image, parameters, into: $0.baseAddress! + 32)
                    }
                    XCTAssertTrue(
                        memory.prefix(32).allSatisfy { $0 == -7 } && memory.suffix(32).allSatisfy { $0 == -7 })
                    XCTAssertTrue(memory.dropFirst(32).dropLast(32).allSatisfy { $0 >= 0 })
                }
            }
        }
    }

    func testMirroringOfBorders() {
        XCTAssertEqual((-4..<7).map { ck_reflect($0, 3) }, [0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2])
        XCTAssertEqual((-3..<4).map { ck_reflect($0, 1) }, [0, 0, 0, 0, 0, 0, 0])
    }

    func testABlurKeepsWhatIsEvenAndSpreadsAPoint() {
        let even = RGBImage(width: 9, height: 9, pixels: [UInt8](repeating: 100, count: 243))
        var point = [UInt8](repeating: 0, count: 243)
        point[3 * 40] = 255
        for kernels in everyKernels {
            var parameters = ViewParameters(wholeOf: even)
            parameters.blur = GaussianBlur(kernelSize: 5, sigma: 1)
            for value in render(even, parameters, width: 9, height: 9, kernels: kernels) {
                XCTAssertEqual(value, 100 / 255, accuracy: 1e-6)
            }
            let view = render(
                RGBImage(width: 9, height: 9, pixels: point), parameters, width: 9, height: 9, kernels: kernels)
            // exp(-1/2) and exp(-2), normalised over five weights.
            let weights: [Float] = [0.402620, 0.244201, 0.054489]
            for (step, weight) in weights.enumerated() {
                XCTAssertEqual(view[3 * (40 + step)], weights[0] * weight, accuracy: 1e-4)
                XCTAssertEqual(view[3 * (40 - 9 * step)], weights[0] * weight, accuracy: 1e-4)
            }
            XCTAssertEqual(view[3 * 40 + 1], 0)
        }
    }
}
