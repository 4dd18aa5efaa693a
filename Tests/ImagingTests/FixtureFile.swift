// Reads the fixtures: files of named byte arrays that Python scripts beside them made.

import Foundation
import Imaging
import Safetensors
import Tensors
import XCTest

/// A fixture file of byte arrays.
struct FixtureFile {
    private let file: SafetensorsFile

    init(_ name: String) throws {
        let path = try XCTUnwrap(Bundle.module.path(forResource: "Fixtures/\(name)", ofType: "safetensors"))
        file = try SafetensorsFile(path: path)
    }

    var metadata: [String: String] { file.metadata }

    /// The names that end in `suffix`, without it.
    func names(endingIn suffix: String) -> [String] {
        file.tensors.map(\.name).filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }.sorted()
    }

    func bytes(_ name: String) throws -> [UInt8] {
        guard case .uint8(let bytes) = try XCTUnwrap(file[name], name).elements else {
            throw XCTSkip("\(name) does not hold bytes")
        }
        return bytes
    }

    func picture(_ name: String) throws -> RGBImage {
        let shape = try XCTUnwrap(file[name], name).shape
        return RGBImage(width: shape[1], height: shape[0], pixels: try bytes(name))
    }
}

extension RGBImage {
    /// The share of the pixels that are no further than `levels` from `other`'s in any channel.
    func share(within levels: Double, of other: RGBImage) -> Double {
        floats.share(within: levels, of: other)
    }

    var floats: [Float] { pixels.map { Float($0) / 255 } }

    /// A colourful picture of any size, with steep edges.
    static func test(width: Int, height: Int, seed: UInt64 = 1) -> RGBImage {
        var random = RandomSource(seed: seed)
        let waves = (0..<3).map { _ in (random.uniform(in: 0.02...0.6), random.uniform(in: 0.02...0.6)) }
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                for wave in waves {
                    let level = 127 + 140 * sin(Float(x) * wave.0) * cos(Float(y) * wave.1)
                    pixels.append(UInt8(max(0, min(255, level + random.uniform(in: -15...15)))))
                }
            }
        }
        return RGBImage(width: width, height: height, pixels: pixels)
    }
}

extension [Float] {
    /// The share of the pixels [n, 3] in 0 ... 1 that are no further than `levels` 255ths from `other`'s in any channel.
    func share(within levels: Double, of other: RGBImage) -> Double {
        guard count == other.pixels.count else { return 0 }
        var bad = 0
        for pixel in stride(from: 0, to: count, by: 3) {
            var furthest = 0.0
            for at in pixel..<pixel + 3 {
                let difference = Double(self[at]) * 255 - Double(other.pixels[at])
                furthest = Swift.max(furthest, difference.magnitude)
            }
            if furthest > levels + 1e-3 { bad += 1 }
        }
        return 1 - Double(bad) / Double(count / 3)
    }
}

/// Renders a view to an array.
func render(_ image: RGBImage, _ parameters: ViewParameters, width: Int, height: Int, kernels: ImagingKernels)
    -> [Float]
{
    let renderer = ViewRenderer(width: width, height: height, kernels: kernels)
    return [Float](unsafeUninitializedCapacity: width * height * 3) { out, count in
        renderer.render(image, parameters, into: out.baseAddress!)
        count = width * height * 3
    }
}

/// Every set of functions that this machine can run.
let everyKernels: [ImagingKernels] = [.plain] + InstructionSet.supported.map { .vector($0) }
