// A JPEG file as a chain of marker segments (ITU-T T.81, annex B): whether it is whole, and its EXIF data.
//
// libjpeg fills the missing end of a truncated file with grey and calls it a warning, so the end is looked for here.

import Glibc

/// What a walk along the markers of a JPEG file finds.
struct JPEGStructure {
    /// Whether the end-of-image marker was reached.
    private(set) var isWhole = false
    /// The orientation that EXIF data in an APP1 segment gives.
    private(set) var orientation = Orientation.upright

    /// Walks along the markers of `file`, which begins with SOI.
    init(_ file: ByteView) {
        var at = 2
        while let marker = Self.nextMarker(in: file, at: &at) {
            switch marker {
            case 0xD9:
                isWhole = true
                return
            case 0x01, 0xD0...0xD8: continue  // no segment follows: TEM, RSTn, SOI
            default:
                guard let length = file.integer(at: at, size: 2), length >= 2 else { return }
                if marker == 0xE1, orientation == .upright, file.holds("Exif\0\0", at: at + 2) {
                    orientation = Orientation(exif: file.slice(at + 2..<max(at + length, at + 2))) ?? .upright
                }
                at += length
            }
        }
    }

    /// Moves past the next marker, over entropy-coded data or what else lies before it.
    ///
    /// - Returns: the marker's second byte, nil at the end of the file.
    private static func nextMarker(in file: ByteView, at: inout Int) -> UInt8? {
        while at < file.count - 1, let found = memchr(file.bytes.baseAddress! + at, 0xFF, file.count - 1 - at) {
            // In entropy-coded data a byte FF is followed by 00; fill bytes FF may stand before a marker.
            at = UnsafeRawPointer(found) - UnsafeRawPointer(file.bytes.baseAddress!) + 1
            let code = file.bytes[at]
            if code != 0, code != 0xFF {
                at += 1
                return code
            }
        }
        return nil
    }
}
