// Views and decoding, on one thread: their threads share nothing.

import ArgumentParser
import Foundation
import Imaging
import Tensors

/// A picture of smooth colours with some noise, as a photo has.
private func picture(width: Int, height: Int) -> RGBImage {
    var random = RandomSource(seed: 1)
    let pixels = (0..<width * height * 3).map { index -> UInt8 in
        let (x, y) = (Double(index / 3 % width), Double(index / 3 / width))
        let wave = sin(x / 37 + Double(index % 3)) * cos(y / 23)
        return UInt8(127 + 100 * wave + 20 * Double(random.uniform()))
    }
    return RGBImage(width: width, height: height, pixels: pixels)
}

/// `clusterd-bench augment`.
struct AugmentBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "augment", abstract: "Two views of a decoded picture, on one thread.")

    @Option(help: ArgumentHelp("The picture's width.", valueName: "pixels"))
    var width = 640

    @Option(help: ArgumentHelp("The picture's height.", valueName: "pixels"))
    var height = 480

    @Option(help: ArgumentHelp("Height and width of the views.", valueName: "pixels"))
    var size = 224

    @Flag(help: "Blur half of the views.")
    var blur = false

    @Option(help: ArgumentHelp("Pairs of views a run.", valueName: "pairs"))
    var pairs = 200

    @OptionGroup var measuring: MeasuringOptions

    func validate() throws {
        guard width > 0, height > 0, size > 0, pairs > 0 else { throw ValidationError("All sizes must be positive.") }
    }

    func run() throws {
        let image = picture(width: width, height: height)
        let augmentation = Augmentation(side: size, jitter: 1, blurs: blur)
        let renderer = ViewRenderer(side: size)
        var view = [Float](repeating: 0, count: size * size * 3)
        let seconds = measuring.median {
            for index in 0..<2 * pairs {
                let parameters = augmentation.parameters(
                    for: image, seed: 1, step: 1, index: index / 2, view: index % 2)
                view.withUnsafeMutableBufferPointer { renderer.render(image, parameters, into: $0.baseAddress!) }
            }
        }
        try report(
            "augment", threads: 1,
            [
                "width": .integer(width), "height": .integer(height), "size": .integer(size),
                "blur": .text(blur ? "half" : "none"), "pairs_per_s": .number(Double(pairs) / seconds),
            ])
    }
}

/// `clusterd-bench decode`.
struct DecodeBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode", abstract: "Decodes a picture file, on one thread.")

    @Argument(help: ArgumentHelp("A JPEG, PNG or WebP file.", valueName: "file"), completion: .file())
    var file: String

    @Option(help: ArgumentHelp("The shorter side that is needed at least; left out, all of it.", valueName: "pixels"))
    var shorterSide: Int?

    @Option(help: ArgumentHelp("Pictures a run.", valueName: "images"))
    var images = 200

    @OptionGroup var measuring: MeasuringOptions

    func run() throws {
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: file)))
        let decoder = ImageDecoder()
        let image = try decoder.decode(bytes, shorterSide: shorterSide)
        let seconds = try measuring.median {
            for _ in 0..<images { _ = try decoder.decode(bytes, shorterSide: shorterSide) }
        }
        try report(
            "decode", threads: 1,
            [
                "bytes": .integer(bytes.count), "width": .integer(image.width), "height": .integer(image.height),
                "images_per_s": .number(Double(images) / seconds),
            ])
    }
}
