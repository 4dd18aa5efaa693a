// What is drawn for views: its statistics, its bounds and its reproducibility.

import Foundation
import Imaging
import Tensors
import XCTest

final class AugmentationTests: XCTestCase {
    private let draws = 20_000

    private func views(_ augmentation: Augmentation, width: Int = 640, height: Int = 480) -> [ViewParameters] {
        var random = RandomSource(seed: 11)
        return (0..<draws).map { _ in augmentation.parameters(width: width, height: height, using: &random) }
    }

    private func mean(_ values: [Float]) -> Double { values.reduce(0) { $0 + Double($1) } / Double(values.count) }

    private func share(_ views: [ViewParameters], _ condition: (ViewParameters) -> Bool) -> Double {
        Double(views.count(where: condition)) / Double(views.count)
    }

    /// The amounts drawn for one kind of operation.
    private func amounts(_ views: [ViewParameters], _ pick: (ColorOperation) -> Float?) -> [Float] {
        views.flatMap { $0.colors.compactMap(pick) }
    }

    func testProbabilities() {
        let views = views(Augmentation(side: 224, blurs: true))
        // Four standard deviations of a share of 20,000 draws are at most 0.015.
        XCTAssertEqual(share(views, \.isFlipped), 0.5, accuracy: 0.015)
        XCTAssertEqual(share(views) { $0.colors.count >= 4 }, 0.8, accuracy: 0.015)
        XCTAssertEqual(share(views) { $0.colors.last == .greyscale }, 0.2, accuracy: 0.015)
        XCTAssertEqual(share(views) { $0.blur != nil }, 0.5, accuracy: 0.015)
        XCTAssertEqual(share(self.views(Augmentation(side: 224))) { $0.blur != nil }, 0)
    }

    func testJitterIsUniformWithinItsStrength() {
        for (strength, low, high, turn) in [(1, 0.2, 1.8, 0.2), (0.5, 0.6, 1.4, 0.1), (2, 0, 2.6, 0.4)]
            as [(Float, Float, Float, Float)]
        {
            let views = views(Augmentation(side: 32, jitter: strength))
            let factors: [[Float]] = [
                amounts(views) { if case .brightness(let factor) = $0 { factor } else { nil } },
                amounts(views) { if case .contrast(let factor) = $0 { factor } else { nil } },
                amounts(views) { if case .saturation(let factor) = $0 { factor } else { nil } },
            ]
            for factors in factors {
                XCTAssertTrue(factors.allSatisfy { (low...high).contains($0) })
                XCTAssertEqual(mean(factors), Double(low + high) / 2, accuracy: 0.03)
                XCTAssertEqual(factors.min()!, low, accuracy: 0.01)
                XCTAssertEqual(factors.max()!, high, accuracy: 0.01)
            }
            let hues = amounts(views) { if case .hue(let shift) = $0 { shift } else { nil } }
            XCTAssertTrue(hues.allSatisfy { (-turn...turn).contains($0) })
            XCTAssertEqual(mean(hues), 0, accuracy: 0.01)
            XCTAssertEqual(mean(hues.map(abs)), Double(turn) / 2, accuracy: 0.01)
        }
        XCTAssertTrue(
            views(Augmentation(side: 32, jitter: 0)).allSatisfy { $0.colors.isEmpty || $0.colors == [.greyscale] })
    }

    func testEveryOrderOfTheJitterIsAsLikely() {
        var counts: [String: Int] = [:]
        for view in views(Augmentation(side: 32)) where view.colors.count >= 4 {
            counts[view.colors.prefix(4).map { String("\($0)".first!) }.joined(), default: 0] += 1
        }
        XCTAssertEqual(counts.count, 24)
        let total = counts.values.reduce(0, +)
        for (order, count) in counts { XCTAssertEqual(Double(count) / Double(total), 1 / 24, accuracy: 0.007, order) }
    }

    func testCropsHaveTheAreaAndAspectOfTheirDistribution() {
        let views = views(Augmentation(side: 224))
        let areas = views.map { Float($0.crop.width * $0.crop.height) / (640 * 480) }
        let aspects = views.map { log(Float($0.crop.width) / Float($0.crop.height)) }
        XCTAssertTrue(areas.allSatisfy { (0.078...1).contains($0) })
        XCTAssertTrue(aspects.allSatisfy { abs($0) <= log(4 / 3) + 0.01 })
        // Large crops of a tall aspect do not fit and are drawn again, so the mean area is below 0.54; torchvision's
        // RandomResizedCrop.get_params gives 0.433 and 0.031 for this size.
        XCTAssertEqual(mean(areas), 0.433, accuracy: 0.01)
        XCTAssertEqual(mean(aspects), 0.031, accuracy: 0.01)
        for view in views {
            XCTAssertTrue(view.crop.left >= 0 && view.crop.left + view.crop.width <= 640)
            XCTAssertTrue(view.crop.top >= 0 && view.crop.top + view.crop.height <= 480)
        }
        XCTAssertTrue(views.contains { $0.crop.left == 0 } && views.contains { $0.crop.left + $0.crop.width == 640 })
    }

    func testAwkwardPicturesFallBackToTheCentre() {
        for view in views(Augmentation(side: 32), width: 1000, height: 3).prefix(500) {
            XCTAssertTrue(view.crop.width <= 4 && view.crop.height <= 3)
        }
        var random = RandomSource(seed: 3)
        let augmentation = Augmentation(side: 32)
        XCTAssertEqual(
            augmentation.parameters(width: 1, height: 1, using: &random).crop,
            CropBox(left: 0, top: 0, width: 1, height: 1))
        let strip = (0..<200).map { _ in augmentation.parameters(width: 2, height: 2000, using: &random).crop }
        XCTAssertTrue(strip.allSatisfy { $0.height <= 3 && $0.top + $0.height <= 2000 })
        XCTAssertTrue(strip.contains(CropBox(left: 0, top: 998, width: 2, height: 3)))
    }

    func testBlursHaveTheKernelOfTheirSide() {
        for (side, kernel) in [(224, 23), (96, 9), (32, 3), (64, 7), (128, 13), (1, 1)] {
            XCTAssertEqual(Augmentation(side: side).blurKernelSize, kernel, "\(side)")
        }
        let sigmas = views(Augmentation(side: 224, blurs: true)).compactMap { $0.blur?.sigma }
        XCTAssertTrue(sigmas.allSatisfy { (0.1...2).contains($0) })
        XCTAssertEqual(mean(sigmas), 1.05, accuracy: 0.03)
    }

    func testAViewDependsOnItsSeedAndPlaceAlone() {
        let image = RGBImage.test(width: 64, height: 48)
        let augmentation = Augmentation(side: 32, blurs: true)
        func draw(_ seed: UInt64, _ step: UInt64, _ index: Int, _ view: Int) -> ViewParameters {
            augmentation.parameters(for: image, seed: seed, step: step, index: index, view: view)
        }
        XCTAssertEqual(draw(1, 2, 3, 0), draw(1, 2, 3, 0))
        let others = [draw(2, 2, 3, 0), draw(1, 3, 3, 0), draw(1, 2, 4, 0), draw(1, 2, 3, 1), draw(1, 3, 2, 0)]
        for other in others { XCTAssertNotEqual(draw(1, 2, 3, 0), other) }

        // One renderer for many views, or one each: the pixels are the same.
        let shared = ViewRenderer(side: 32)
        for index in 0..<20 {
            let parameters = draw(1, 2, index, 0)
            let fresh = render(image, parameters, width: 32, height: 32, kernels: .best)
            var again = [Float](repeating: 0, count: 32 * 32 * 3)
            again.withUnsafeMutableBufferPointer { shared.render(image, parameters, into: $0.baseAddress!) }
            XCTAssertEqual(fresh, again)
        }
    }
}
