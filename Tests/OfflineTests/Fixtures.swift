// Small collections on disk, and a folder that goes away with its test.

import Foundation
import XCTest

/// A folder of its own for a test.
final class TemporaryFolder {
    let url: URL
    var path: String { url.path }

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("clusterd-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// Writes IDX images of 16 x 16 pixels, darker ones labelled 0 and brighter ones 1, in turn; returns the image file.
    func writeIDX(_ name: String, images: Int, labels: Bool = true) throws -> String {
        func header(_ extents: [Int]) -> [UInt8] {
            [0, 0, 8, UInt8(extents.count)]
                + extents.flatMap { extent in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: extent >> $0) } }
        }
        let side = 16
        let pixels = (0..<images * side * side).map { position in
            let (image, pixel) = (position / (side * side), position % (side * side))
            return UInt8((image % 2 == 0 ? 40 : 190) + (pixel * 7 + image * 13) % 50)
        }
        let file = url.appendingPathComponent("\(name)-images-idx3-ubyte")
        try Data(header([images, side, side]) + pixels).write(to: file)
        if labels {
            try Data(header([images]) + (0..<images).map { UInt8($0 % 2) })
                .write(to: url.appendingPathComponent("\(name)-labels-idx1-ubyte"))
        }
        return file.path
    }
}
