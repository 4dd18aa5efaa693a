// SMJPEG, the plainest container that ffmpeg can write to a pipe: a JPEG after another, each with its time and its length.
//
// "\0\nSMJPEG", a version and a duration, sections of a name and a length that end with HEND, then frames: `vidD`, the time in
// milliseconds, the length, the JPEG; all numbers of 32 bits, the highest byte first. DONE ends it.

/// Takes frames out of the bytes of an SMJPEG stream, however they are cut.
package struct SMJPEGParser {
    /// A picture of the stream.
    package struct Frame: Equatable {
        /// Since the beginning.
        package let milliseconds: UInt32
        /// The JPEG.
        package let bytes: [UInt8]
    }

    /// The bytes are no such stream.
    package struct Malformed: Error {}

    private static let signature: [UInt8] = [0, 10] + Array("SMJPEG".utf8)
    /// The longest JPEG that is taken.
    private static let largestFrame = 128 << 20

    private enum Part {
        case signature
        case sections
        case frames
        case end
    }

    private var part = Part.signature
    private var buffer: [UInt8] = []
    private var start = 0

    /// A parser that has seen nothing.
    package init() {}

    /// Adds bytes of the stream.
    package mutating func feed(_ bytes: [UInt8]) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer += bytes
    }

    /// The next frame that is complete, nil where more bytes are needed.
    package mutating func next() throws(Malformed) -> Frame? {
        while true {
            switch part {
            case .signature:
                guard available >= 16 else { return nil }
                guard buffer[start...].starts(with: Self.signature) else { throw Malformed() }
                start += 16
                part = .sections
            case .sections:
                guard available >= 4 else { return nil }
                if name == "HEND" {
                    start += 4
                    part = .frames
                    continue
                }
                guard available >= 8 else { return nil }
                let length = number(at: 4)
                guard length <= 1 << 20 else { throw Malformed() }
                guard available >= 8 + length else { return nil }
                start += 8 + length
            case .frames:
                guard available >= 4 else { return nil }
                if name == "DONE" {
                    part = .end
                    return nil
                }
                guard name == "vidD" else { throw Malformed() }
                guard available >= 12 else { return nil }
                let length = number(at: 8)
                guard length <= Self.largestFrame else { throw Malformed() }
                guard available >= 12 + length else { return nil }
                let frame = Frame(
                    milliseconds: UInt32(number(at: 4)), bytes: Array(buffer[start + 12..<start + 12 + length]))
                start += 12 + length
                return frame
            case .end: return nil
            }
        }
    }

    private var available: Int { buffer.count - start }

    private var name: String { String(decoding: buffer[start..<start + 4], as: UTF8.self) }

    private func number(at offset: Int) -> Int {
        buffer[start + offset..<start + offset + 4].reduce(0) { $0 << 8 | Int($1) }
    }
}
