// What a header says of raw pixels, checked against the limits and against the payload.

extension MessageParser {
    /// Reads the keys of raw pixels.
    ///
    /// - Parameters:
    ///   - declaredColor: the order of the channels that the sender declares, if it does.
    ///   - otherwise: the order of pixels with several channels where it is not declared; one channel is grey then.
    func readRaw(
        _ header: [String: JSON], declaredColor: String?, otherwise: ColorOrder, payload: [UInt8]
    ) throws(MessageFault) -> PayloadEncoding {
        let dtype = try header.readOptional("dtype", "a string", \.text)
        if let dtype, dtype != "uint8" {
            throw MessageFault(.unsupportedDtype, "dtype is \(dtype.quoted), only uint8 is understood")
        }
        let (height, width, channels) = try readShape(header)
        let color = try order(declaredColor, otherwise: otherwise, channels: channels)
        // The product of the sides is known not to overflow; that with the channels might, with generous limits.
        let (bytes, overflow) = (height * width).multipliedReportingOverflow(by: channels)
        guard !overflow, bytes == payload.count else {
            throw MessageFault(
                .shapeMismatch, "[\(height), \(width), \(channels)] and a payload of \(payload.count) bytes")
        }
        return .raw(height: height, width: width, channels: channels, color: color)
    }

    /// Reads `shape`: [height, width] or [height, width, channels].
    private func readShape(
        _ header: [String: JSON]
    ) throws(MessageFault) -> (height: Int, width: Int, channels: Int) {
        guard let json = header["shape"], json != .null else { throw MessageFault(.missingKey, "shape is missing") }
        let extents = json.elements?.compactMap { $0.integer(as: Int.self) }
        guard let extents, extents.count == json.elements?.count, extents.count == 2 || extents.count == 3,
            extents.allSatisfy({ $0 > 0 })
        else { throw MessageFault(.invalidShape, "shape is not two or three positive integers") }
        let (height, width, channels) = (extents[0], extents[1], extents.count == 3 ? extents[2] : 1)
        guard channels == 1 || channels == 3 || channels == 4 else {
            throw MessageFault(.invalidShape, "\(channels) channels, 1, 3 and 4 are understood")
        }
        let (pixels, overflow) = height.multipliedReportingOverflow(by: width)
        guard !overflow, pixels <= limits.maxPixels, height <= limits.maxSide, width <= limits.maxSide else {
            throw MessageFault(
                .tooManyPixels,
                "\(width) x \(height), the limits are \(limits.maxSide) a side and \(limits.maxPixels) pixels")
        }
        guard height >= limits.minSide, width >= limits.minSide else {
            throw MessageFault(.tooSmall, "\(width) x \(height), the least is \(limits.minSide) a side")
        }
        return (height, width, channels)
    }

    private func order(
        _ declared: String?, otherwise: ColorOrder, channels: Int
    ) throws(MessageFault) -> ColorOrder {
        let color: ColorOrder
        if let declared {
            guard let known = ColorOrder(rawValue: declared) else {
                throw MessageFault(.invalidColor, "color is \(declared.quoted), not rgb, bgr or gray")
            }
            color = known
        } else {
            color = channels == 1 ? .gray : otherwise
        }
        guard (color == .gray) == (channels == 1) else {
            throw MessageFault(.invalidColor, "\(channels) channels in the order \(color.rawValue)")
        }
        return color
    }
}
