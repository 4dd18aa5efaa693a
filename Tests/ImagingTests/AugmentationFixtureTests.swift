// The five augmentations against Pillow's and OpenCV's (Fixtures/augmentation_reference.py, and
// views_reference.py for whole views), on every instruction set.

import Foundation
import Imaging
import XCTest

final class AugmentationFixtureTests: XCTestCase {
    /// One step of a case, as the fixture's metadata has it.
    private struct Step: Decodable {
        var op: String
        var left: Int?
        var top: Int?
        var width: Int?
        var height: Int?
        var size: Int?
        var factor: Float?
        var shift: Float?
        var kernel: Int?
        var sigma: Float?
    }

    func testEveryOperation() throws { try check(FixtureFile("augmentation"), count: 15) }

    func testWholeViews() throws { try check(FixtureFile("views"), count: 20) }

    private func check(_ fixture: FixtureFile, count: Int) throws {
        let input = try fixture.picture("input")
        XCTAssertEqual(fixture.metadata.count, count)
        for (name, json) in fixture.metadata {
            let steps = try JSONDecoder().decode([Step].self, from: Data(json.utf8))
            let expected = try fixture.picture(name)
            let parameters = try parameters(steps, of: input)
            for kernels in everyKernels {
                let view = render(
                    input, parameters, width: expected.width, height: expected.height, kernels: kernels)
                XCTAssertGreaterThanOrEqual(view.share(within: 3, of: expected), 0.99, "\(name), \(kernels)")
                // What is not blurred ends in whole levels and is Pillow's but for ties in rounding.
                if parameters.blur == nil {
                    XCTAssertGreaterThanOrEqual(view.share(within: 0, of: expected), 0.97, "\(name), \(kernels)")
                } else {
                    XCTAssertGreaterThanOrEqual(view.share(within: 2, of: expected), 0.95, "\(name), \(kernels)")
                }
            }
        }
    }

    func testDecoding() throws {
        let fixture = try FixtureFile("augmentation")
        for name in ["jpeg_50", "jpeg_90"] {
            let picture = try ImageDecoder().decode(fixture.bytes("\(name).bytes"))
            XCTAssertEqual(picture.share(within: 2, of: try fixture.picture("\(name).pixels")), 1, name)
        }
    }

    private func parameters(_ steps: [Step], of input: RGBImage) throws -> ViewParameters {
        var parameters = ViewParameters(wholeOf: input)
        for step in steps {
            switch step.op {
            case "resized_crop":
                parameters.crop = CropBox(left: step.left!, top: step.top!, width: step.width!, height: step.height!)
            case "horizontal_flip": parameters.isFlipped = true
            case "brightness": parameters.colors.append(.brightness(step.factor!))
            case "contrast": parameters.colors.append(.contrast(step.factor!))
            case "saturation": parameters.colors.append(.saturation(step.factor!))
            case "hue": parameters.colors.append(.hue(step.shift!))
            case "greyscale": parameters.colors.append(.greyscale)
            case "gaussian_blur": parameters.blur = GaussianBlur(kernelSize: step.kernel!, sigma: step.sigma!)
            default: XCTFail("unknown operation \(step.op)")
            }
        }
        return parameters
    }
}
