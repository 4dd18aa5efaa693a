// The JSON parser and writer: the grammar of RFC 8259, what Python writes beyond it, and exact numbers.

import SeededRandom
import StreamProtocol
import XCTest

final class JSONTests: XCTestCase {
    private func parse(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }

    private func write(_ value: some JSONWritable) -> String {
        let document = text(JSONWriter.object { $0.member("", value) })
        return String(document.dropFirst(4).dropLast())
    }

    /// `value` as it is after writing: what is no number has become null.
    private func finite(_ value: JSON) -> JSON {
        switch value {
        case .number(let number): number.isFinite ? value : .null
        case .array(let elements): .array(elements.map(finite))
        case .object(let members): .object(members.mapValues(finite))
        default: value
        }
    }

    func testEveryKindOfValue() throws {
        let cases: [(String, JSON)] = [
            ("null", .null), (" true\n", .bool(true)), ("\tfalse\r", .bool(false)), ("0", .integer(0)),
            ("-0", .integer(0)), ("17", .integer(17)), ("-17", .integer(-17)), ("0.5", .number(0.5)),
            ("-1.25e2", .number(-125)), ("1E+2", .number(100)), ("1e-2", .number(0.01)), (#""""#, .string("")),
            ("[]", .array([])), ("[ ]", .array([])), ("{}", .object([:])), ("{ }", .object([:])),
            ("[1,[2], {}]", .array([.integer(1), .array([.integer(2)]), .object([:])])),
            (#"{"a" : 1 , "b":[null]}"#, .object(["a": .integer(1), "b": .array([.null])])),
        ]
        for (text, value) in cases { XCTAssertEqual(try parse(text), value, text) }
    }

    func testIntegersOf64BitsAreExact() throws {
        XCTAssertEqual(try parse("18446744073709551615").integer(), UInt64.max)
        XCTAssertEqual(try parse("9223372036854775808").integer(), UInt64(1) << 63)
        XCTAssertEqual(try parse("9223372036854775807").integer(), Int64.max)
        XCTAssertEqual(try parse("-9223372036854775808").integer(), Int64.min)
        XCTAssertNil(try parse("18446744073709551615").integer(as: Int64.self))
        XCTAssertNil(try parse("-1").integer(as: UInt64.self))
        // Beyond 64 bits a number is as good as a Double makes it.
        XCTAssertEqual(try parse("18446744073709551616"), .number(0x1p64))
        XCTAssertEqual(try parse("1180591620717411303424"), .number(0x1p70))
        XCTAssertEqual(try parse("-9223372036854775809"), .number(-0x1p63))
        XCTAssertEqual(try parse(String(repeating: "9", count: 400)), .number(.infinity))
    }

    func testAWholeNumberIsAnIntegerHoweverItIsWritten() throws {
        XCTAssertEqual(try parse("42.0").integer(), 42)
        XCTAssertEqual(try parse("1e3").integer(), UInt64(1000))
        for text in ["42.5", "NaN", "Infinity", "1e30", "true", "null", #""42""#] {
            XCTAssertNil(try parse(text).integer(as: Int64.self), text)
        }
    }

    func testWhatPythonWritesBeyondTheStandard() throws {
        // json.dumps([float("nan"), float("inf"), -float("inf"), 1e400])
        let elements = try XCTUnwrap(try parse("[NaN, Infinity, -Infinity, 1e400]").elements)
        guard case .number(let nan) = elements[0] else { return XCTFail("\(elements[0])") }
        XCTAssertTrue(nan.isNaN)
        XCTAssertEqual(Array(elements[1...]), [.number(.infinity), .number(-.infinity), .number(.infinity)])
    }

    func testEscapesAndSurrogates() throws {
        let cases: [(String, String)] = [
            (#""\" \\ \/ \b \f \n \r \t""#, "\" \\ / \u{8} \u{C} \n \r \t"),
            // json.dumps("kü\U0001F600"), with and without ensure_ascii.
            (#""k\u00fc\ud83d\ude00""#, "kü😀"), ("\"kü😀\"", "kü😀"), (#""\u0000""#, "\0"),
            (#""\uABCD\uabcd""#, "\u{ABCD}\u{ABCD}"),
            (#""\ud83d""#, "\u{FFFD}"), (#""\ude00x""#, "\u{FFFD}x"), (#""\ud83dx\ude00""#, "\u{FFFD}x\u{FFFD}"),
            (#""\ud83d\n""#, "\u{FFFD}\n"), (#""\ud83d\u0041""#, "\u{FFFD}A"), (#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"),
            (#""\udbff\udfff""#, "\u{10FFFF}"),
        ]
        for (json, value) in cases { XCTAssertEqual(try parse(json), .string(value), json) }
    }

    func testOfDuplicateKeysTheLastCounts() throws {
        XCTAssertEqual(try parse(#"{"id":"a","id":"b","\u0069d":"c"}"#), .object(["id": .string("c")]))
    }

    func testWhatIsNotJSON() {
        let cases = [
            "", " ", "{", "}", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{\"a\"", "{\"a\":", "{\"a\":1",
            "{\"a\":1,}",
            "{\"a\" 1}", "{a:1}", "{1:1}", "{,}", "nul", "nulll", "True", "nan", "Nan", "inf", "-NaN", "-", "+1", "01",
            "-01",
            "1.", ".5", "1.e5", "1e", "1e+", "0x10", "1_0", "--1", "1 1", "[] []", "'a'", "\"", "\"a", "\"\\\"",
            "\"\\x\"",
            "\"\\u12\"", "\"\\u12G4\"", "\"\\u", "\"\\ud83d\\u\"", "\"\n\"", "\"\t\"", "\"\0\"", "\u{FEFF}{}", "{}x",
            "// {}", "{}\0",
        ]
        for text in cases { XCTAssertThrowsError(try parse(text), text) }
        // Text that is not UTF-8: a lone continuation byte, Latin-1, an overlong slash, a surrogate, a cut-off character.
        for bytes: [UInt8] in [
            [0x80], [0xFC], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF4, 0x90, 0x80, 0x80],
        ] {
            XCTAssertThrowsError(try JSON(parsing: [0x22] + bytes + [0x22]), "\(bytes)")
            XCTAssertThrowsError(try JSON(parsing: [0x22, 0x5C, 0x6E] + bytes + [0x22]), "\(bytes)")
            XCTAssertThrowsError(try JSON(parsing: bytes), "\(bytes)")
        }
    }

    func testAnErrorSaysWhere() {
        XCTAssertThrowsError(try parse(#"{"a": [1, x]}"#)) {
            XCTAssertEqual("\($0)", "unexpected character at byte 10")
        }
    }

    func testNestingIsBounded() throws {
        let deepest = JSON.maximumDepth
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let inner = open == "[" ? "" : "1"
            let allowed =
                String(repeating: open, count: deepest) + inner + String(repeating: close, count: deepest)
            XCTAssertNoThrow(try parse(allowed))
            XCTAssertThrowsError(try parse(open + allowed + close))
            XCTAssertThrowsError(try parse(String(repeating: open, count: 100_000)))
        }
    }

    func testTheWriterIsExactAndValid() {
        XCTAssertEqual(write(UInt64.max), "18446744073709551615")
        XCTAssertEqual(write(Int64.min), "-9223372036854775808")
        XCTAssertEqual(write(-7), "-7")
        XCTAssertEqual(write(Float(0.93)), "0.93")
        XCTAssertEqual(write(Double(0.1) + 0.2), "0.30000000000000004")
        XCTAssertEqual(write([Float.nan, .infinity, -.infinity, 1e-30, 1e30, 0]), "[null,null,null,1e-30,1e+30,0.0]")
        XCTAssertEqual(write(String?.none), "null")
        XCTAssertEqual(write(Label.number(-3)), "-3")
        XCTAssertEqual(write(Label.text("3")), #""3""#)
        XCTAssertEqual(
            write("\" \\ / ü😀 \u{7F} \n\r\t \0\u{1F}"), #""\" \\ / ü😀 "# + "\u{7F}" + #" \n\r\t \u0000\u001f""#)
        XCTAssertEqual(
            write([JSON.bool(true), .null, .array([]), .array([.integer(1), .integer(2)])]), "[true,null,[],[1,2]]")
        let nested = JSON.object(["a": .object([:]), "b": .object(["c": .integer(1), "d": .bool(false)])])
        XCTAssertEqual(write(nested), #"{"a":{},"b":{"c":1,"d":false}}"#)
    }

    func testFloatsSurviveTheRoundTrip() throws {
        var generator = SeededGenerator(state: 1)
        for _ in 0..<20_000 {
            let value = Float(bitPattern: .random(in: 0...UInt32.max, using: &generator))
            let read = try XCTUnwrap(parse(write(value)).float)
            XCTAssertTrue(value.isFinite ? read == value : read.isNaN, "\(value)")
        }
    }

    func testMutatedDocumentsAreReadOrRefusedAndWhatIsReadIsWrittenBack() throws {
        let seeds = [
            #"{"v":1,"id":"0042.jpg","seq":18446744073709551615,"t":1795498908754577642,"shape":[2,2,3],"label":"k\u00fc"}"#,
            #"[NaN, -Infinity, 1e400, -0.5e-3, "\ud83d\ude00\udc00", {"a":{"b":[[],{}]}}, true, false, null]"#,
        ].map { Array($0.utf8) }
        let alphabet = Array(#"{}[]",:\u0123456789eE+-.tfnNI "#.utf8)
        var generator = SeededGenerator(state: 2)
        var (readable, refused) = (0, 0)
        for number in 0..<fuzzingInputs {
            let input = generator.mutate(seeds[number % seeds.count], alphabet: alphabet)
            guard let value = try? JSON(parsing: input) else {
                refused += 1
                continue
            }
            readable += 1
            let again = try parse(write(value))
            XCTAssertEqual(again, finite(value), text(input))
        }
        // The mutations must reach both outcomes to prove anything.
        XCTAssertGreaterThan(readable, fuzzingInputs / 20)
        XCTAssertGreaterThan(refused, fuzzingInputs / 20)
    }
}
