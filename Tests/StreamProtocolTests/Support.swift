// What several tests of the module use.

import SeededRandom
import StreamProtocol
import XCTest

extension SeededGenerator {
    /// `bytes` with one to four small changes: a byte replaced, inserted or removed, a piece doubled or cut off.
    mutating func mutate(_ bytes: [UInt8], alphabet: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &self) {
            let place = Int.random(in: 0...bytes.count, using: &self)
            let byte =
                Bool.random(using: &self) ? alphabet.randomElement(using: &self)! : .random(in: 0...255, using: &self)
            switch Int.random(in: 0..<6, using: &self) {
            case 0 where place < bytes.count: bytes[place] = byte
            case 1 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            case 2 where place < bytes.count: bytes.remove(at: place)
            case 3: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 12)], at: place)
            case 4 where Int.random(in: 0..<8, using: &self) == 0: bytes.removeSubrange(place...)
            default: bytes.insert(byte, at: place)
            }
        }
        return bytes
    }
}

/// How many inputs each fuzzing test tries.
let fuzzingInputs = 200_000

extension MessageParser {
    /// A parser for messages at a source called `door`.
    static func door(
        _ dialect: Dialect = .auto, color: ColorOrder = .bgr, limits: MessageLimits = MessageLimits()
    ) -> MessageParser {
        MessageParser(dialect: dialect, color: color, limits: limits, defaultSource: "door")
    }

    /// The image that a message must be.
    func image(
        _ frames: [[UInt8]], file: StaticString = #filePath, line: UInt = #line
    ) throws -> IncomingImage {
        let message = parse(frames: frames, received: 77)
        guard case .image(let image) = message.content else {
            XCTFail("\(message)", file: file, line: line)
            throw CancellationError()
        }
        return image
    }

    /// The rejection that a message must get.
    func rejection(
        _ frames: [[UInt8]], file: StaticString = #filePath, line: UInt = #line
    ) throws -> Rejection {
        let message = parse(frames: frames, received: 77)
        guard case .rejected(let rejection) = message.content else {
            XCTFail("accepted: \(message)", file: file, line: line)
            throw CancellationError()
        }
        return rejection
    }
}

/// A message of clusterd's dialect.
func message(source: String = "cam1", _ header: String, payload: [UInt8] = [1, 2, 3]) -> [[UInt8]] {
    [Array(source.utf8), Array(header.utf8), payload]
}

/// A message of two frames.
func message(header: String, payload: [UInt8] = [1, 2, 3]) -> [[UInt8]] { [Array(header.utf8), payload] }

/// The text of a frame.
func text(_ frame: [UInt8]) -> String { String(decoding: frame, as: UTF8.self) }
