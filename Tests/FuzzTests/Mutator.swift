// Changes inputs at random: seeded, so that a run can be repeated, and with a notion of text, numbers and nesting.

import SeededRandom

extension SeededGenerator {
    /// A number below `bound`, which is positive; a little uneven, which does not matter here.
    mutating func below(_ bound: Int) -> Int { Int(next() >> 33) % bound }
}

/// Makes inputs of inputs.
struct Mutator {
    private var random: SeededGenerator
    private let tokens: [[UInt8]]

    /// The most bytes of an input.
    private static let maximumSize = 128 << 10
    /// Numbers at which something changes.
    private static let numbers: [Int64] = [
        0, 1, -1, 2, 7, 8, 127, 128, 255, 256, 1 << 15, 1 << 16, 1 << 24, 1 << 31 - 1, 1 << 31, 1 << 32, .max, .min,
    ]
    private static let texts = [
        "0", "-0", "1", "-1", "255", "256", "4294967295", "4294967296", "9223372036854775807", "9223372036854775808",
        "-9223372036854775808", "18446744073709551615", "18446744073709551616", "1e3", "1e999", "1e-999", "0.1", "NaN",
        "99999999999999999999999999999999999999999999",
    ].map { Array($0.utf8) }

    init(seed: UInt64, tokens: [String]) {
        random = SeededGenerator(state: seed)
        self.tokens = tokens.map { Array($0.utf8) }
    }

    /// One of `pool` with a few changes, more often few than many.
    mutating func input(from pool: [[UInt8]]) -> [UInt8] {
        var bytes = pool[random.below(pool.count)]
        repeat { change(&bytes, pool) } while random.below(3) != 0
        if bytes.count > Self.maximumSize { bytes.removeSubrange(Self.maximumSize...) }
        return bytes
    }

    /// Whether an event of the probability 1 / `count` comes about.
    mutating func oneIn(_ count: Int) -> Bool { random.below(count) == 0 }

    private mutating func change(_ bytes: inout [UInt8], _ pool: [[UInt8]]) {
        let place = random.below(bytes.count + 1)
        switch random.below(14) {
        case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(random.below(8))
        case 1 where place < bytes.count: bytes[place] = UInt8(random.below(256))
        case 2: bytes.insert(UInt8(random.below(256)), at: place)
        case 3: bytes.removeSubrange(range(from: place, of: bytes))
        case 4: bytes.insert(contentsOf: bytes[range(from: place, of: bytes)], at: place)
        case 5: bytes.removeSubrange(place...)
        case 6: splice(&bytes, at: place, with: pool[random.below(pool.count)])
        case 7 where !tokens.isEmpty: bytes.insert(contentsOf: tokens[random.below(tokens.count)], at: place)
        case 8 where !tokens.isEmpty: overwrite(&bytes, at: place, with: tokens[random.below(tokens.count)])
        case 9: replaceDigits(&bytes, near: place)
        case 10: overwrite(&bytes, at: place, with: binaryNumber())
        case 11: nest(&bytes, at: place)
        case 12: multiply(&bytes, at: place)
        default: swapRanges(&bytes)
        }
    }

    private mutating func range(from place: Int, of bytes: [UInt8]) -> Range<Int> {
        let longest = oneIn(4) ? bytes.count : 16
        return place..<min(bytes.count, place + 1 + random.below(max(1, longest)))
    }

    /// The beginning of one, the end of the other.
    private mutating func splice(_ bytes: inout [UInt8], at place: Int, with other: [UInt8]) {
        guard !other.isEmpty else { return }
        bytes.replaceSubrange(place..., with: other[random.below(other.count)...])
    }

    private func overwrite(_ bytes: inout [UInt8], at place: Int, with piece: [UInt8]) {
        bytes.replaceSubrange(place..<min(bytes.count, place + piece.count), with: piece)
    }

    private mutating func binaryNumber() -> [UInt8] {
        let size = [1, 2, 4, 8][random.below(4)]
        let number = Self.numbers[random.below(Self.numbers.count)]
        let littleEndian = (0..<size).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        return oneIn(2) ? littleEndian : littleEndian.reversed()
    }

    /// Another number in the place of one that is written in digits.
    private mutating func replaceDigits(_ bytes: inout [UInt8], near place: Int) {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard let start = bytes[place...].firstIndex(where: digits.contains) else { return }
        let end = bytes[start...].firstIndex { !digits.contains($0) } ?? bytes.count
        bytes.replaceSubrange(start..<end, with: Self.texts[random.below(Self.texts.count)])
    }

    /// Brackets within brackets, some of them closed.
    private mutating func nest(_ bytes: inout [UInt8], at place: Int) {
        let depth = oneIn(8) ? 1 + random.below(20_000) : 1 + random.below(80)
        let (open, close) = [("[", "]"), ("{", "}"), (#"{"a":"#, "}"), ("- ", ""), ("(", ")")][random.below(5)]
        let range = range(from: place, of: bytes)
        let inner = Array(bytes[range])
        let closing = oneIn(3) ? [] : [[UInt8]](repeating: Array(close.utf8), count: depth).flatMap { $0 }
        let opening = [[UInt8]](repeating: Array(open.utf8), count: depth).flatMap { $0 }
        bytes.replaceSubrange(range, with: opening + inner + closing)
    }

    /// A piece very often.
    private mutating func multiply(_ bytes: inout [UInt8], at place: Int) {
        let piece = bytes[range(from: place, of: bytes)]
        let most = oneIn(16) ? 4096 : 32
        // No more than will be kept: a large piece 4,096 times would be half a gigabyte, and minutes where nothing is optimised.
        let count = min(1 + random.below(most), Self.maximumSize / max(1, piece.count) + 1)
        var copies: [UInt8] = []
        for _ in 0..<count { copies += piece }
        bytes.insert(contentsOf: copies, at: place)
        if bytes.count > Self.maximumSize { bytes.removeSubrange(Self.maximumSize...) }
    }

    private mutating func swapRanges(_ bytes: inout [UInt8]) {
        guard bytes.count > 1 else { return }
        let length = 1 + random.below(min(16, bytes.count / 2))
        let (a, b) = (random.below(bytes.count - length + 1), random.below(bytes.count - length + 1))
        for offset in 0..<length { bytes.swapAt(a + offset, b + offset) }
    }
}
