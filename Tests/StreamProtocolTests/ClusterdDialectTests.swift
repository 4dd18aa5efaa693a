// clusterd's own dialect: every key, and every way in which a message can be wrong.

import StreamProtocol
import XCTest

final class ClusterdDialectTests: XCTestCase {
    private let parser = MessageParser.door()

    func testAMessageAsPyzmqSendsIt() throws {
        // socket.send_multipart([b"cam1", json.dumps({"v": 1, "id": "0042.jpg", "seq": 2**64 - 1, "t": 1795498908754577642,
        //     "format": "raw", "shape": [2, 2, 3], "dtype": "uint8", "color": "bgr", "label": "7",
        //     "score": float("nan"), "big": 2**70, "inf": [float("inf"), -float("inf")],
        //     "s": "\udc00 ü\U0001F600\n\"\\"}).encode(), bytes(range(12))])
        let header =
            #"{"v": 1, "id": "0042.jpg", "seq": 18446744073709551615, "t": 1795498908754577642, "format": "raw", "#
            + #""shape": [2, 2, 3], "dtype": "uint8", "color": "bgr", "label": "7", "score": NaN, "#
            + #""big": 1180591620717411303424, "inf": [Infinity, -Infinity], "#
            + #""s": "\udc00 \u00fc\ud83d\ude00\n\"\\"}"#
        let payload = [UInt8](0..<12)
        let image = try parser.image(message(header, payload: payload))
        XCTAssertEqual(image.source, "cam1")
        XCTAssertEqual(image.id, "0042.jpg")
        XCTAssertEqual(image.sequence, .max)
        XCTAssertEqual(image.taken, 1_795_498_908_754_577_642)
        XCTAssertEqual(image.received, 77)
        XCTAssertEqual(image.label, .text("7"))
        XCTAssertEqual(image.encoding, .raw(height: 2, width: 2, channels: 3, color: .bgr))
        XCTAssertEqual(image.payload, payload)
    }

    func testAllButTheVersionIsOptional() throws {
        for header in [
            #"{"v":1}"#, #"{"v":1.0}"#,
            #"{"v":1,"id":null,"seq":null,"t":null,"label":null,"format":null,"shape":null,"color":null}"#,
        ] {
            let image = try parser.image(message(header))
            XCTAssertEqual(image.source, "cam1")
            XCTAssertNil(image.id)
            XCTAssertNil(image.sequence)
            XCTAssertNil(image.taken)
            XCTAssertNil(image.label)
            XCTAssertEqual(image.encoding, .file(format: nil))
            XCTAssertEqual(image.payload, [1, 2, 3])
        }
    }

    func testEveryFormat() throws {
        for format in ["jpeg", "png", "webp"] {
            // What belongs to raw pixels alone is not looked at.
            let image = try parser.image(message(#"{"v":1,"format":"\#(format)","shape":"?","dtype":3,"color":[]}"#))
            XCTAssertEqual(image.encoding, .file(format: format))
        }
    }

    func testLabelsAreTextOrIntegers() throws {
        XCTAssertEqual(try parser.image(message(#"{"v":1,"label":"cat"}"#)).label, .text("cat"))
        XCTAssertEqual(try parser.image(message(#"{"v":1,"label":7}"#)).label, .number(7))
        XCTAssertEqual(try parser.image(message(#"{"v":1,"label":-7.0}"#)).label, .number(-7))
        XCTAssertEqual(try parser.image(message(#"{"v":1,"label":""}"#)).label, .text(""))
    }

    func testANumberAsNameBecomesItsDigits() throws {
        XCTAssertEqual(try parser.image(message(#"{"v":1,"id":42}"#)).id, "42")
        XCTAssertEqual(try parser.image(message(#"{"v":1,"id":-1}"#)).id, "-1")
        XCTAssertEqual(try parser.image(message(#"{"v":1,"id":18446744073709551615}"#)).id, "18446744073709551615")
        XCTAssertEqual(try parser.image(message(#"{"v":1,"id":"k\u00fc\ud83d"}"#)).id, "kü\u{FFFD}")
        XCTAssertEqual(try parser.image(message(#"{"v":1,"id":""}"#)).id, "")
    }

    func testRawPixels() throws {
        let cases: [(String, Int, PayloadEncoding)] = [
            (#""shape":[2,4,3]"#, 24, .raw(height: 2, width: 4, channels: 3, color: .rgb)),
            (
                #""shape":[2,4,3],"dtype":"uint8","color":"rgb""#, 24,
                .raw(height: 2, width: 4, channels: 3, color: .rgb)
            ),
            (#""shape":[2,4,3],"color":"bgr""#, 24, .raw(height: 2, width: 4, channels: 3, color: .bgr)),
            (#""shape":[2,4,4]"#, 32, .raw(height: 2, width: 4, channels: 4, color: .rgb)),
            (#""shape":[2,4,4],"color":"bgr""#, 32, .raw(height: 2, width: 4, channels: 4, color: .bgr)),
            (#""shape":[2,4,1]"#, 8, .raw(height: 2, width: 4, channels: 1, color: .gray)),
            (#""shape":[2,4]"#, 8, .raw(height: 2, width: 4, channels: 1, color: .gray)),
            (#""shape":[2.0,4],"color":"gray""#, 8, .raw(height: 2, width: 4, channels: 1, color: .gray)),
        ]
        for (keys, bytes, encoding) in cases {
            let header = #"{"v":1,"format":"raw",\#(keys)}"#
            let payload = [UInt8](repeating: 5, count: bytes)
            XCTAssertEqual(try parser.image(message(header, payload: payload)).encoding, encoding, header)
            // The source's colour is for dialects that have no key for it.
            XCTAssertEqual(
                try MessageParser.door(.clusterd, color: .bgr).image(message(header, payload: payload)).encoding,
                encoding)
            for wrong in [payload + [0], Array(payload.dropLast()), [1]] {
                let rejection = try parser.rejection(message(header, payload: wrong))
                XCTAssertEqual(rejection.reason, "shape-mismatch", header)
            }
        }
    }

    func testTheSourcesNameIsSanitised() throws {
        let cases = [
            ("Cam_1.front-door", "Cam_1.front-door"), ("cam 1/küche\n", "cam_1_k_che_"), ("", "door"), ("😀", "_"),
            (String(repeating: "a", count: 64), String(repeating: "a", count: 64)),
            (String(repeating: "a", count: 65), String(repeating: "a", count: 64)),
            (String(repeating: "ü", count: 100_000), String(repeating: "_", count: 64)),
        ]
        for (given, name) in cases {
            XCTAssertEqual(try parser.image(message(source: given, #"{"v":1}"#)).source, name)
        }
        let header = Array(#"{"v":1}"#.utf8)
        XCTAssertEqual(try parser.image([[0x61, 0xFF, 0x62, 0xC3], header, [1]]).source, "a_b_")
    }

    func testEveryRejectionOfAHeader() throws {
        let cases: [(String, RejectionReason)] = [
            ("", .headerNotJSON), ("not json", .headerNotJSON), (#"{"v":1"#, .headerNotJSON),
            (String(repeating: "[", count: 5000), .headerNotJSON),
            ("[]", .headerNotObject), ("1", .headerNotObject), ("null", .headerNotObject),
            ("{}", .unsupportedVersion), (#"{"v":null}"#, .unsupportedVersion), (#"{"v":2}"#, .unsupportedVersion),
            (#"{"v":"1"}"#, .unsupportedVersion), (#"{"v":true}"#, .unsupportedVersion),
            (#"{"v":1.5}"#, .unsupportedVersion),
            (#"{"v":1,"id":[]}"#, .invalidKey), (#"{"v":1,"id":true}"#, .invalidKey),
            (#"{"v":1,"id":1.5}"#, .invalidKey),
            (#"{"v":1,"seq":-1}"#, .invalidKey), (#"{"v":1,"seq":"1"}"#, .invalidKey),
            (#"{"v":1,"seq":NaN}"#, .invalidKey),
            (#"{"v":1,"seq":18446744073709551616}"#, .invalidKey), (#"{"v":1,"seq":0.5}"#, .invalidKey),
            (#"{"v":1,"t":1754300000.25}"#, .invalidKey), (#"{"v":1,"t":"now"}"#, .invalidKey),
            (#"{"v":1,"t":9223372036854775808}"#, .invalidKey), (#"{"v":1,"t":Infinity}"#, .invalidKey),
            (#"{"v":1,"label":[1]}"#, .invalidKey), (#"{"v":1,"label":1.5}"#, .invalidKey),
            (#"{"v":1,"label":true}"#, .invalidKey), (#"{"v":1,"label":9223372036854775808}"#, .invalidKey),
            (#"{"v":1,"format":"jpg"}"#, .unknownFormat), (#"{"v":1,"format":"JPEG"}"#, .unknownFormat),
            (#"{"v":1,"format":""}"#, .unknownFormat), (#"{"v":1,"format":1}"#, .invalidKey),
            (#"{"v":1,"format":"raw"}"#, .missingKey), (#"{"v":1,"format":"raw","shape":null}"#, .missingKey),
        ]
        for (header, reason) in cases {
            let rejection = try parser.rejection(message(header))
            XCTAssertEqual(rejection.reason, reason.rawValue, header)
            XCTAssertEqual(rejection.source, "cam1")
            XCTAssertFalse(rejection.detail.isEmpty)
        }
        let notUTF8 = [Array("cam1".utf8), Array(#"{"v":1,"id":""#.utf8) + [0xFC] + Array(#""}"#.utf8), [1]]
        XCTAssertEqual(try parser.rejection(notUTF8).reason, "header-not-json")
    }

    func testEveryRejectionOfRawPixels() throws {
        let cases: [(String, RejectionReason)] = [
            (#""shape":[2,4,3],"dtype":"float32""#, .unsupportedDtype),
            (#""shape":[2,4,3],"dtype":"UINT8""#, .unsupportedDtype),
            (#""shape":[2,4,3],"dtype":8"#, .invalidKey), (#""shape":[2,4,3],"color":1"#, .invalidKey),
            (#""shape":[2,4,3],"color":"hsv""#, .invalidColor), (#""shape":[2,4,3],"color":"gray""#, .invalidColor),
            (#""shape":[2,4],"color":"rgb""#, .invalidColor), (#""shape":[2,4,1],"color":"bgr""#, .invalidColor),
            (#""shape":[]"#, .invalidShape), (#""shape":[24]"#, .invalidShape), (#""shape":[1,2,4,3]"#, .invalidShape),
            (#""shape":[2,4,2]"#, .invalidShape), (#""shape":[2,4,5]"#, .invalidShape),
            (#""shape":[2,4,0]"#, .invalidShape),
            (#""shape":[0,4,3]"#, .invalidShape), (#""shape":[-2,-4,3]"#, .invalidShape),
            (#""shape":[2,4.5,3]"#, .invalidShape),
            (#""shape":[2,"4",3]"#, .invalidShape), (#""shape":[2,null,3]"#, .invalidShape),
            (#""shape":[2,[4],3]"#, .invalidShape),
            (#""shape":"2x4""#, .invalidShape), (#""shape":{"h":2,"w":4}"#, .invalidShape),
            (#""shape":24"#, .invalidShape),
            (#""shape":[2,1e300,3]"#, .invalidShape), (#""shape":[2,NaN,3]"#, .invalidShape),
            (#""shape":[9223372036854775807,9223372036854775807,4]"#, .tooManyPixels),
            (#""shape":[4294967296,4294967296,4]"#, .tooManyPixels), (#""shape":[2,32769,3]"#, .tooManyPixels),
            (#""shape":[32769,2,3]"#, .tooManyPixels), (#""shape":[32768,32768,3]"#, .tooManyPixels),
            (#""shape":[1,1,3]"#, .tooSmall), (#""shape":[1,8,3]"#, .tooSmall), (#""shape":[8,1]"#, .tooSmall),
        ]
        for (keys, reason) in cases {
            let header = #"{"v":1,"id":"a","format":"raw",\#(keys)}"#
            let rejection = try parser.rejection(message(header, payload: [UInt8](repeating: 0, count: 24)))
            XCTAssertEqual(rejection.reason, reason.rawValue, header)
            XCTAssertEqual(rejection.id, "a")
            XCTAssertFalse(rejection.detail.isEmpty)
        }
    }

    func testAnEmptyPayload() throws {
        for header in [#"{"v":1,"id":"a"}"#, #"{"v":1,"id":"a","format":"raw","shape":[2,4,3]}"#] {
            let rejection = try parser.rejection(message(header, payload: []))
            XCTAssertEqual(rejection.reason, "empty-payload")
            XCTAssertEqual([rejection.source, rejection.id], ["cam1", "a"])
        }
    }

    func testARejectionNamesWhatCouldBeRead() throws {
        let unreadable = try parser.rejection(message("not json"))
        XCTAssertEqual(
            unreadable, Rejection(source: "cam1", id: nil, reason: "header-not-json", detail: unreadable.detail))
        let newer = try parser.rejection(message(#"{"v":9,"id":"a"}"#))
        XCTAssertEqual(newer, Rejection(source: "cam1", id: "a", reason: "unsupported-version", detail: newer.detail))
        let tooMany = try parser.rejection(message(#"{"v":1,"id":"a"}"#) + [[1]])
        XCTAssertEqual(tooMany, Rejection(source: "cam1", id: "a", reason: "frame-count", detail: tooMany.detail))
        let nameless = try parser.rejection(message(source: "", #"{"v":1,"id":[],"seq":1}"#))
        XCTAssertEqual(nameless, Rejection(source: "door", id: nil, reason: "invalid-key", detail: nameless.detail))
        for piece in ["x", "\u{301}"] {
            let long = String(repeating: piece, count: 10_000)
            XCTAssertLessThan(try parser.rejection(message(#"{"v":1,"format":"\#(long)"}"#)).detail.utf8.count, 1000)
        }
    }

    func testFrameCounts() throws {
        let parser = MessageParser.door(.clusterd)
        for count in [0, 1, 2, 4, 5, 1000] {
            XCTAssertEqual(try parser.rejection([[UInt8]](repeating: [1], count: count)).reason, "frame-count")
        }
    }
}
