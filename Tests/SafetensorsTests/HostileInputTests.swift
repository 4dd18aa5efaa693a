// Bytes from anybody: each fault is named, none is fatal.

import Safetensors
import Tensors
import XCTest

final class HostileInputTests: XCTestCase {
    /// A file with the given JSON and so many bytes of data.
    private func file(_ json: String, data: Int = 0) -> [UInt8] {
        file(text: Array(json.utf8), length: UInt64(json.utf8.count), data: data)
    }

    private func file(text: [UInt8], length: UInt64, data: Int = 0) -> [UInt8] {
        withUnsafeBytes(of: length.littleEndian, Array.init) + text + [UInt8](repeating: 0, count: data)
    }

    private func tensor(_ dtype: String = "F32", _ shape: String = "[2]", _ offsets: String = "[0,8]") -> String {
        #"{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}"#
    }

    private func assertRefused(
        _ bytes: [UInt8], _ reason: String, kind: SafetensorsError.Kind = .malformed, line: UInt = #line
    ) {
        XCTAssertThrowsError(try SafetensorsFile(bytes: bytes), line: line) { error in
            XCTAssertEqual((error as? SafetensorsError)?.kind, kind, line: line)
            XCTAssertTrue("\(error)".contains(reason), "\(error)", line: line)
        }
    }

    func testTheLengthOfTheHeaderIsBounded() {
        assertRefused([], "too few")
        assertRefused([1, 2, 3, 4, 5, 6, 7], "too few")
        assertRefused(file(text: [], length: .max), "over the format's limit")
        assertRefused(file(text: [], length: UInt64(Int.max)), "over the format's limit")
        assertRefused(file(text: [], length: 100_000_001), "over the format's limit")
        assertRefused(file(text: [], length: 100_000_000), "longer than the file")
        assertRefused(file(text: Array("{}".utf8), length: 3), "longer than the file")
        assertRefused(file(text: [], length: 0), "does not begin with '{'")
    }

    func testTheHeaderIsStrictJSON() {
        assertRefused(file(" {}"), "does not begin with '{'")
        assertRefused(file("[]"), "does not begin with '{'")
        assertRefused(file("{"), "expected")
        assertRefused(file("{}}"), "expected the end")
        assertRefused(file("{}\u{0}"), "expected the end")
        assertRefused(file(#"{"a"}"#), "expected ':'")
        assertRefused(file(#"{"a":1}"#), "expected '{'")
        assertRefused(file(#"{"a":"# + tensor() + ",}", data: 8), "expected '\"'")
        assertRefused(file(#"{"a" "# + tensor() + "}", data: 8), "expected ':'")
        assertRefused(file(#"{"a"#), "a string does not end")
        assertRefused(file("{\"a\nb\":" + tensor() + "}", data: 8), "a string does not end")
        assertRefused(file(#"{"\x":1}"#), "unknown escape")
        assertRefused(file(#"{"\u12g4":1}"#), "four hexadecimal digits")
        assertRefused(file(#"{"\ud800":1}"#), "a surrogate stands alone")
        assertRefused(file(#"{"\udc00":1}"#), "a surrogate stands alone")
        assertRefused(file(#"{"\ud800\ud800":1}"#), "a surrogate stands alone")
        assertRefused(file(#"{"__metadata__":{"a":1}}"#), "expected '\"'")
        assertRefused(file(#"{"__metadata__":[]}"#), "expected '{'")
        let invalid: [UInt8] = Array("{\"".utf8) + [0xC3, 0x28] + Array("\":1}".utf8)
        assertRefused(file(text: invalid, length: UInt64(invalid.count)), "not UTF-8")
        let deep = #"{"a":"# + String(repeating: "[", count: 1_000_000)
        assertRefused(file(deep), "expected '{'")
        assertRefused(file(#"{"a":{"shape":"# + String(repeating: "[", count: 1_000_000)), "not negative")
    }

    func testKeysComeOnceAndAreKnown() {
        assertRefused(file(#"{"a":\#(tensor()),"a":\#(tensor())}"#, data: 8), #"the key "a" comes twice"#)
        assertRefused(file(#"{"a":\#(tensor()),"\u0061":\#(tensor())}"#, data: 8), #"the key "a" comes twice"#)
        assertRefused(file(#"{"__metadata__":{"k":"1","k":"2"}}"#), #"the key "k" comes twice"#)
        assertRefused(file(#"{"a":{"dtype":"F32","dtype":"F32"}}"#), #"the key "dtype" comes twice"#)
        assertRefused(file(#"{"a":{"type":"F32"}}"#), #"unknown key "type""#)
        assertRefused(file(#"{"a":{"dtype":"F32","shape":[2]}}"#), "wants dtype, shape and data_offsets")
    }

    func testNumbersAreWholeAndFit() {
        for number in ["-1", "1.5", "1e3", "01", "+1", "\"1\"", "null", "NaN", "1,"] {
            let json = #"{"a":\#(tensor("F32", "[\(number)]"))}"#
            XCTAssertThrowsError(try SafetensorsFile(bytes: file(json, data: 8)), number) {
                XCTAssertEqual(($0 as? SafetensorsError)?.kind, .malformed)
            }
        }
        assertRefused(file(#"{"a":\#(tensor("F32", "[-2]"))}"#, data: 8), "not negative")
        assertRefused(file(#"{"a":\#(tensor("F32", "[02]"))}"#, data: 8), "not negative")
        assertRefused(file(#"{"a":\#(tensor("F32", "[9223372036854775808]"))}"#), "a number is too large")
        assertRefused(
            file(#"{"a":\#(tensor("F32", "[\(String(repeating: "9", count: 500))]"))}"#), "a number is too large")
        assertRefused(file(#"{"a":\#(tensor("F32", "[4611686018427387904,4,0]", "[0,0]"))}"#), "is too large")
        assertRefused(file(#"{"a":\#(tensor("F32", "[2305843009213693952,2]", "[0,8]"))}"#, data: 8), "is too large")
        assertRefused(file(#"{"a":\#(tensor("U8", "[4294967296,4294967296]", "[0,0]"))}"#), "is too large")
    }

    func testTensorsFillTheDataExactly() {
        assertRefused(file(#"{"a":\#(tensor("F32", "[3]"))}"#, data: 8), "does not fill its 8 bytes")
        assertRefused(file(#"{"a":\#(tensor("F4", "[3]", "[0,2]"))}"#, data: 2), "does not fill its 2 bytes")
        assertRefused(file(#"{"a":\#(tensor("F32", "[2]", "[8,0]"))}"#, data: 8), "data_offsets in order")
        assertRefused(file(#"{"a":\#(tensor("F32", "[2]", "[0]"))}"#, data: 8), "two data_offsets")
        assertRefused(file(#"{"a":\#(tensor("F32", "[2]", "[0,8,8]"))}"#, data: 8), "two data_offsets")
        assertRefused(file(#"{"a":\#(tensor())}"#, data: 7), "cut off")
        assertRefused(file(#"{"a":\#(tensor())}"#, data: 9), "1 bytes follow the last tensor")
        assertRefused(file("{}", data: 1), "1 bytes follow the last tensor")
        assertRefused(file(#"{"a":\#(tensor("F32", "[2]", "[4,12]"))}"#, data: 12), "leaves a gap")
        let apart = tensor("F32", "[2]", "[12,20]")
        assertRefused(file(#"{"a":\#(tensor()),"b":\#(apart)}"#, data: 20), #""b" at byte 12 leaves a gap"#)
        assertRefused(file(#"{"b":\#(apart),"a":\#(tensor())}"#, data: 20), #""b" at byte 12 leaves a gap"#)
        let overlapping = tensor("F32", "[2]", "[4,12]")
        assertRefused(file(#"{"a":\#(tensor()),"b":\#(overlapping)}"#, data: 12), "overlaps the one before")
        assertRefused(file(#"{"a":\#(tensor()),"b":\#(tensor())}"#, data: 8), "overlaps the one before")
        let far = tensor("U8", "[1]", "[9223372036854775806,9223372036854775807]")
        assertRefused(file(#"{"a":\#(far)}"#), "leaves a gap")
        assertRefused(
            file(#"{"a":\#(tensor("F32", "[2305843009213693951]", "[0,9223372036854775804]"))}"#), "is too large")
        assertRefused(file(#"{"a":\#(tensor("U8", "[1000000000000]", "[0,1000000000000]"))}"#), "cut off")
    }

    func testOtherDataTypesAreKnownButNotRead() throws {
        assertRefused(file(#"{"a":\#(tensor("F31"))}"#, data: 8), #"unknown dtype "F31""#)
        let bytes = file(#"{"a":\#(tensor("U64", "[1]"))}"#, data: 8)
        XCTAssertEqual(try SafetensorsReader(bytes: bytes).header.entries.first?.dataType, .uint64)
        assertRefused(bytes, "unsupported data type U64", kind: .unsupported)
        assertRefused(file(#"{"a":\#(tensor("F6_E2M3", "[4]", "[0,3]"))}"#, data: 3), "F6_E2M3", kind: .unsupported)
    }

    func testWhiteSpaceIsFree() throws {
        let json = "{ \"a\" :\n{ \"shape\": [ ] ,\t\"data_offsets\" : [ 0 , 4 ] , \"dtype\" : \"F32\" } }  \r\n"
        let file = try SafetensorsFile(bytes: file(json, data: 4))
        XCTAssertEqual(file.tensors, [NamedTensor(name: "a", shape: [], elements: .float32([0]))])
    }

    /// Seeded mutations of a small file: whatever is not refused is a consistent file again.
    func testMutatedFilesAreRefusedOrConsistent() throws {
        let seed = SafetensorsFile(
            tensors: [
                NamedTensor(name: "w", shape: [2, 3], elements: .float32([1, 2, 3, 4, 5, 6])),
                NamedTensor(name: "n", shape: [], elements: .int64([7])),
                NamedTensor(name: "u", shape: [5], elements: .uint8([1, 2, 3, 4, 5])),
            ],
            metadata: ["format": "clusterd/1", "rng": "\u{e9}\n"]
        ).encoded()
        let vocabulary = Array("{}[],:\"\\0123456789-.eE \nuF4SIU\u{7f}".utf8) + [0, 0xC3, 0xFF]
        var random = RandomSource(seed: 20260101)
        var accepted = 0
        for _ in 0..<100_000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<6, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: bytes[place] = vocabulary.randomElement(using: &random)!
                case 3: bytes.remove(at: place)
                case 4: bytes.insert(vocabulary.randomElement(using: &random)!, at: place)
                default: bytes.replaceSubrange(place..<min(bytes.count, place + 8), with: seed.suffix(8))
                }
            }
            guard let file = try? SafetensorsFile(bytes: bytes) else { continue }
            accepted += 1
            let again = try SafetensorsFile(bytes: file.encoded())
            XCTAssertEqual(again.metadata, file.metadata)
            XCTAssertEqual(Set(again.tensors.map(\.name)), Set(file.tensors.map(\.name)))
        }
        XCTAssertGreaterThan(accepted, 1000, "the mutations reach past the header")
    }
}
