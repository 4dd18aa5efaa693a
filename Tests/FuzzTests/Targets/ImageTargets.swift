// Pictures: the three file formats.

import CZlib
import Imaging

extension FuzzTarget {
    /// A JPEG file.
    static func jpeg(share: Double) -> FuzzTarget {
        picture("jpeg", share: share, tokens: ["Exif\0\0", "MM\0*", "II*\0", "Adobe\0", "JFIF\0"], repair: nil)
    }

    /// A PNG file; the checksums of its chunks are made right.
    static func png(share: Double) -> FuzzTarget {
        let tokens = ["IHDR", "PLTE", "tRNS", "IDAT", "IEND", "eXIf", "gAMA", "iCCP", "zTXt", "acTL", "fdAT"]
        return picture("png", share: share, tokens: tokens) { bytes in
            var at = 8
            while at + 12 <= bytes.count {
                let length = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
                let end = at + 8 + length
                guard end + 4 <= bytes.count else { return }
                let checksum = bytes[(at + 4)..<end].withUnsafeBufferPointer {
                    crc32(0, $0.baseAddress, UInt32($0.count))
                }
                for index in 0..<4 { bytes[end + index] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * index)) }
                at = end + 4
            }
        }
    }

    /// A WebP file; the length of its container is made right.
    static func webp(share: Double) -> FuzzTarget {
        let tokens = ["RIFF", "WEBP", "VP8 ", "VP8L", "VP8X", "ALPH", "EXIF", "ANIM", "ANMF"]
        return picture("webp", share: share, tokens: tokens) { bytes in
            guard bytes.count >= 12 else { return }
            for index in 0..<4 { bytes[4 + index] = UInt8(truncatingIfNeeded: (bytes.count - 8) >> (8 * index)) }
        }
    }

    private static func picture(
        _ name: String, share: Double, tokens: [String], repair: ((inout [UInt8]) -> Void)?
    ) -> FuzzTarget {
        // Changed sizes are mostly enormous, and refused before anything is done; these are a picture's.
        let decoder = ImageDecoder(limits: ImageLimits(maxPixels: 20_000, maxSide: 2_000))
        return FuzzTarget(name, share: share, tokens: tokens, repair: repair) { input in
            do {
                let picture = try decoder.decode(input)
                // Memory that no decoder has written would differ.
                try require(try decoder.decode(input) == picture, "two pictures of the same bytes")
                try require(picture.width * picture.height <= 20_000, "\(picture.width) x \(picture.height)")
                let small = try decoder.decode(input, shorterSide: 3)
                try require(small.width <= picture.width && small.height <= picture.height, "it has grown")
                return "\(picture.width.bitWidthUsed) x \(picture.height.bitWidthUsed)"
            } catch let error as ImageError {
                try require(!error.description.isEmpty, "no reason")
                return word(error.description)
            }
        }
    }
}

extension Int {
    fileprivate var bitWidthUsed: Int { Int.bitWidth - leadingZeroBitCount }
}
