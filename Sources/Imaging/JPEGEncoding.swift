// Pictures to JPEG files, for people to look at: small ones, of which there are few.

import CTurboJPEG

extension RGBImage {
    /// The picture as a JPEG file, its colours at full resolution; nil where libjpeg-turbo has no memory.
    ///
    /// - Parameter quality: 1 to 100, as libjpeg counts; `tjCompress2`.
    public func jpeg(quality: Int = 88) -> [UInt8]? {
        guard let handle = tjInitCompress() else { return nil }
        defer { tjDestroy(handle) }
        let subsampling = Int32(TJSAMP_444.rawValue)
        var size = tjBufSize(Int32(width), Int32(height), subsampling)
        let file = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            var out = buffer.baseAddress
            let status = tjCompress2(
                handle, pixels, Int32(width), 0, Int32(height), Int32(TJPF_RGB.rawValue), &out, &size, subsampling,
                Int32(quality), TJFLAG_NOREALLOC)
            count = status == 0 ? Int(size) : 0
        }
        return file.isEmpty ? nil : file
    }
}
