// JPEG through libjpeg-turbo's TurboJPEG interface, whose errors come back as return values.

import CTurboJPEG

extension ImageDecoder {
    /// Decodes a JPEG file, at a reduced size where `shorterSide` permits.
    func decodeJPEG(_ file: ByteView, shorterSide: Int?) throws(ImageError) -> (RGBImage, Orientation) {
        guard let handle = tjInitDecompress() else { throw .corrupt(.jpeg, detail: "libjpeg-turbo has no memory") }
        defer { tjDestroy(handle) }

        var width: Int32 = 0, height: Int32 = 0, subsampling: Int32 = 0, colorspace: Int32 = -1
        let header = tjDecompressHeader3(
            handle, file.bytes.baseAddress, UInt(file.count), &width, &height, &subsampling, &colorspace)
        let structure = JPEGStructure(file)
        // Unusual subsampling has no name in TurboJPEG, which calls it an error here and decodes it all the same; tables
        // without a picture are no error to it.
        guard width > 0, height > 0, header == 0 || subsampling == -1 else {
            guard structure.isWhole else { throw .truncated(.jpeg) }
            throw .corrupt(.jpeg, detail: header == 0 ? "there is no picture in it" : Self.message(handle))
        }
        try limits.check(width: Int(width), height: Int(height))
        guard structure.isWhole else { throw .truncated(.jpeg) }

        let divisor = Self.divisor(width: width, height: height, shorterSide: shorterSide)
        width = (width + divisor - 1) / divisor
        height = (height + divisor - 1) / divisor
        // TurboJPEG converts neither CMYK nor YCCK to RGB, only YCCK to CMYK.
        let isCMYK = colorspace == Int32(TJCS_CMYK.rawValue) || colorspace == Int32(TJCS_YCCK.rawValue)
        let format = isCMYK ? TJPF_CMYK : TJPF_RGB
        var failure: ImageError?
        func decompress(into out: UnsafeMutablePointer<UInt8>?) {
            let status = tjDecompress2(
                handle, file.bytes.baseAddress, UInt(file.count), out, width, 0, height, Int32(format.rawValue),
                TJFLAG_LIMITSCANS)
            if status != 0, let detail = Self.damage(handle) { failure = .corrupt(.jpeg, detail: detail) }
        }
        let picture = RGBImage(width: Int(width), height: Int(height)) { out in
            if isCMYK {
                let pixels = Int(width) * Int(height)
                withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4 * pixels) { cmyk in
                    cmyk.initialize(repeating: 0)
                    decompress(into: cmyk.baseAddress)
                    Self.convertInverted(cmyk, to: out, pixels: pixels)
                }
            } else {
                decompress(into: out.baseAddress)
            }
        }
        if let failure { throw failure }
        return (picture, structure.orientation)
    }

    /// The largest of 8, 4, 2 and 1 by which both sides can be divided and stay at least `shorterSide` long.
    private static func divisor(width: Int32, height: Int32, shorterSide: Int?) -> Int32 {
        guard let shorterSide else { return 1 }
        return [8, 4, 2].first { Int(min(width, height) / $0) >= shorterSide } ?? 1
    }

    /// What is wrong with the picture after a call that failed or warned; nil where it is whole all the same.
    private static func damage(_ handle: tjhandle) -> String? {
        let message = message(handle)
        guard tjGetErrorCode(handle) == Int32(TJERR_WARNING.rawValue) else { return message }
        // Cameras leave stray bytes between segments and odd version numbers in them; the pixels are not touched by that.
        let harmless = ["extraneous bytes", "JFIF", "Adobe"]
        return harmless.contains { message.contains($0) } ? nil : message
    }

    private static func message(_ handle: tjhandle) -> String { String(cString: tjGetErrorStr2(handle)) }

    /// CMYK in which 255 stands for no ink, as Adobe writes it.
    private static func convertInverted(
        _ cmyk: UnsafeMutableBufferPointer<UInt8>, to rgb: UnsafeMutableBufferPointer<UInt8>, pixels: Int
    ) {
        for pixel in 0..<pixels {
            let light = Int(cmyk[4 * pixel + 3])
            for channel in 0..<3 {
                rgb[3 * pixel + channel] = UInt8((Int(cmyk[4 * pixel + channel]) * light + 127) / 255)
            }
        }
    }
}
