// How a camera was held: the EXIF orientation (JEITA CP-3451, tag 274) of a file, and turning a picture upright by it.

/// An EXIF orientation: how a stored picture must be turned to be seen upright.
enum Orientation: Int, CaseIterable {
    case upright = 1
    case mirrored
    case halfTurn
    case mirroredHalfTurn
    case mirroredQuarterTurn
    case quarterTurn
    case mirroredThreeQuarterTurn
    case threeQuarterTurn

    /// Whether width and height change places.
    var swapsSides: Bool { rawValue >= 5 }

    /// Reads the orientation from EXIF data, which is a TIFF file with or without `Exif\0\0` before it.
    ///
    /// - Returns: nil where the data holds none or is damaged; damaged EXIF data does not spoil a picture.
    init?(exif: ByteView) {
        let tiff = exif.holds("Exif\0\0") ? exif.slice(6..<exif.count) : exif
        let bigEndian = tiff.holds("MM\0*")
        guard bigEndian || tiff.holds("II*\0") else { return nil }
        func integer(_ at: Int, _ size: Int) -> Int? { tiff.integer(at: at, size: size, bigEndian: bigEndian) }
        guard let directory = integer(4, 4), let entries = integer(directory, 2) else { return nil }
        for entry in 0..<entries {
            let at = directory + 2 + 12 * entry
            guard let tag = integer(at, 2), let type = integer(at + 2, 2) else { return nil }
            // A SHORT (3) lies in the first bytes of the value field.
            if tag == 274, type == 3, let value = integer(at + 8, 2) {
                self.init(rawValue: value)
                return
            }
        }
        return nil
    }
}

extension RGBImage {
    /// The picture turned upright.
    func turned(_ orientation: Orientation) -> RGBImage {
        if orientation == .upright { return self }
        // Where output pixel (0, 0) lies in the input, and the input steps of one output pixel to the right and down.
        let right = 3, down = 3 * width
        let lastColumn = right * (width - 1), lastRow = down * (height - 1)
        let (start, columnStep, rowStep) =
            switch orientation {
            case .upright: (0, right, down)
            case .mirrored: (lastColumn, -right, down)
            case .halfTurn: (lastRow + lastColumn, -right, -down)
            case .mirroredHalfTurn: (lastRow, right, -down)
            case .mirroredQuarterTurn: (0, down, right)
            case .quarterTurn: (lastRow, -down, right)
            case .mirroredThreeQuarterTurn: (lastRow + lastColumn, -down, -right)
            case .threeQuarterTurn: (lastColumn, down, -right)
            }
        let (newWidth, newHeight) = orientation.swapsSides ? (height, width) : (width, height)
        return RGBImage(width: newWidth, height: newHeight) { out in
            pixels.withUnsafeBufferPointer { input in
                var to = 0
                for y in 0..<newHeight {
                    var from = start + y * rowStep
                    for _ in 0..<newWidth {
                        out[to] = input[from]
                        out[to + 1] = input[from + 1]
                        out[to + 2] = input[from + 2]
                        to += 3
                        from += columnStep
                    }
                }
            }
        }
    }
}
