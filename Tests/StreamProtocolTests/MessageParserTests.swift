// What holds for every dialect: telling them apart, limits at their edges, and hostile input.

import SeededRandom
import StreamProtocol
import XCTest

final class MessageParserTests: XCTestCase {
    func testDialectsAreToldApart() throws {
        let parser = MessageParser.door()
        XCTAssertEqual(try parser.image(message(#"{"v":1,"id":"a","msg":"b","terminate_flag":true}"#)).id, "a")
        XCTAssertEqual(try parser.image(message(header: #"{"v":1,"msg":"cam2"}"#)).source, "cam2")
        let cases: [([[UInt8]], RejectionReason)] = [
            ([], .frameCount), ([[]], .frameCount), ([[1]], .frameCount), ([Array(#"{"v":1}"#.utf8)], .frameCount),
            ([Array(#"{"msg": "a"}"#.utf8)], .frameCount), ([Array(#"{"terminate_flag": false}"#.utf8)], .frameCount),
            // clusterd's dialect without the source's name.
            (message(header: #"{"v":1,"id":"a"}"#), .frameCount),
            (message(header: #"{"id":"a"}"#), .unknownDialect), (message(header: "{}"), .unknownDialect),
            (message(header: "cam1"), .headerNotJSON), (message(header: "[1]"), .headerNotObject),
            (message(#"{"v":1}"#) + [[1]], .frameCount), ([[UInt8]](repeating: [1], count: 50), .frameCount),
        ]
        for (frames, reason) in cases {
            XCTAssertEqual(try parser.rejection(frames).reason, reason.rawValue, "\(frames.map(text))")
        }
    }

    func testTheDialectIsToldEvenWhereTheMessageIsRejected() {
        let cases: [([[UInt8]], Dialect?)] = [
            (message(#"{"v":1}"#), .clusterd), (message("{"), .clusterd), (message(header: #"{"v":1}"#), .clusterd),
            (message(header: #"{"msg":"a"}"#), .imagezmq), (message(header: #"{"msg":"a","shape":1}"#), .imagezmq),
            (message(header: #"{"msg":"a","terminate_flag":false}"#), .netgear),
            (message(header: #"{"msg":"a","v":1,"terminate_flag":null}"#), .netgear),
            ([Array(#"{"terminate_flag":true}"#.utf8)], .netgear),
            (message(header: "{}"), nil), (message(header: "{"), nil), ([[1]], nil), ([], nil),
        ]
        for (frames, dialect) in cases {
            XCTAssertEqual(
                MessageParser.door().parse(frames: frames, received: 1).dialect, dialect, "\(frames.map(text))")
        }
        for dialect in [Dialect.clusterd, .imagezmq, .netgear] {
            XCTAssertEqual(MessageParser.door(dialect).parse(frames: [], received: 1).dialect, dialect)
        }
    }

    func testAFixedDialectTakesNoOther() throws {
        XCTAssertEqual(
            try MessageParser.door(.clusterd).rejection(message(header: #"{"msg":"a"}"#)).reason, "frame-count")
        XCTAssertEqual(try MessageParser.door(.imagezmq).rejection(message(#"{"v":1}"#)).reason, "frame-count")
    }

    func testTheSizeOfAMessageIsLimited() throws {
        let header = #"{"v":1,"id":"a"}"#
        let other = header.utf8.count + "cam1".utf8.count
        let parser = MessageParser.door(limits: MessageLimits(maxMessageBytes: 1000))
        _ = try parser.image(message(header, payload: [UInt8](repeating: 0, count: 1000 - other)))
        let rejection = try parser.rejection(message(header, payload: [UInt8](repeating: 0, count: 1001 - other)))
        XCTAssertEqual([rejection.source, rejection.id, rejection.reason], ["cam1", "a", "too-large"])
        let imagezmq = try parser.rejection(
            message(header: #"{"msg":"cam2"}"#, payload: [UInt8](repeating: 0, count: 1000)))
        XCTAssertEqual([imagezmq.source, imagezmq.reason], ["cam2", "too-large"])
        // The default: an uncompressed 4K picture fits, 100 MB do not.
        let payload = [UInt8](repeating: 0, count: 3840 * 2160 * 3)
        _ = try MessageParser.door().image(message(#"{"v":1,"format":"raw","shape":[2160,3840,3]}"#, payload: payload))
        let huge = [UInt8](repeating: 0, count: 100_000_000)
        XCTAssertEqual(try MessageParser.door().rejection(message(header, payload: huge)).reason, "too-large")
    }

    func testTheSizeOfAHeaderIsLimited() throws {
        let parser = MessageParser.door(limits: MessageLimits(maxHeaderBytes: 40))
        let exact = #"{"v":1,"id":"\#(String(repeating: "x", count: 25))"}"#
        XCTAssertEqual(exact.utf8.count, 40)
        _ = try parser.image(message(exact))
        for frames in [message(exact + " "), message(header: #"{"msg":"a"}"# + String(repeating: " ", count: 40))] {
            XCTAssertEqual(try parser.rejection(frames).reason, "header-too-large")
        }
        XCTAssertEqual(try parser.rejection(message(exact + " ")).source, "cam1")
    }

    func testThePixelsOfARawPictureAreLimited() throws {
        let parser = MessageParser.door(limits: MessageLimits(maxPixels: 100, maxSide: 40, minSide: 2))
        let cases: [(Int, Int, RejectionReason?)] = [
            (10, 10, nil), (2, 40, nil), (40, 2, nil), (2, 2, nil), (10, 11, .tooManyPixels), (2, 41, .tooManyPixels),
            (41, 2, .tooManyPixels), (1, 2, .tooSmall), (2, 1, .tooSmall),
        ]
        for (height, width, reason) in cases {
            let frames = message(
                #"{"v":1,"format":"raw","shape":[\#(height),\#(width)]}"#,
                payload: [UInt8](repeating: 0, count: height * width))
            if let reason {
                XCTAssertEqual(try parser.rejection(frames).reason, reason.rawValue, "\(height) x \(width)")
            } else {
                _ = try parser.image(frames)
            }
        }
    }

    func testLimitsBeyondAllBoundsDoNotOverflow() throws {
        let parser = MessageParser.door(limits: MessageLimits(maxPixels: .max, maxSide: .max))
        let shapes = [
            "[3037000500,3037000500]", "[3037000499,3037000499,4]", "[4611686018427387904,2,4]",
            "[9223372036854775807,2]",
        ]
        for shape in shapes {
            let rejection = try parser.rejection(message(#"{"v":1,"format":"raw","shape":\#(shape)}"#))
            XCTAssertTrue(["too-many-pixels", "shape-mismatch"].contains(rejection.reason), "\(rejection)")
        }
    }

    func testReasonsAreWordsForMachines() {
        let words = RejectionReason.allCases.map(\.rawValue)
        XCTAssertEqual(Set(words).count, words.count)
        for word in words { XCTAssertNotNil(word.wholeMatch(of: /[a-z]+(-[a-z]+)*/), word) }
    }

    func testMutatedMessagesAreAcceptedOrRejectedByName() {
        let payload = [UInt8](0..<24)
        let seeds: [[[UInt8]]] = [
            message(#"{"v":1,"id":"0042.jpg","seq":42,"t":1795498908754577642,"label":7}"#, payload: payload),
            message(#"{"v":1,"format":"raw","shape":[2,4,3],"dtype":"uint8","color":"bgr","id":3}"#, payload: payload),
            message(header: #"{"msg": "cam1", "dtype": "uint8", "shape": [2, 4, 3]}"#, payload: payload),
            message(header: #"{"msg": "cam1"}"#, payload: payload),
            message(
                header:
                    #"{"terminate_flag": false, "compression": false, "message": null, "dtype": "uint8", "shape": [4, 6]}"#,
                payload: payload),
            [Array(#"{"terminate_flag": true}"#.utf8)],
        ]
        let alphabet = Array(#"{}[]",:\u0123456789e-."#.utf8)
        let parsers = Dialect.allCases.map { MessageParser.door($0) }
        let words = Set(RejectionReason.allCases.map(\.rawValue))
        var generator = SeededGenerator(state: 3)
        var (accepted, ends) = (0, 0)
        var seen: Set<String> = []
        for number in 0..<fuzzingInputs {
            var frames = seeds[number % seeds.count]
            switch Int.random(in: 0..<16, using: &generator) {
            case 0: frames.remove(at: .random(in: 0..<frames.count, using: &generator))
            case 1:
                frames.insert(
                    frames.randomElement(using: &generator)!, at: .random(in: 0...frames.count, using: &generator))
            case 2: frames.shuffle(using: &generator)
            default:
                let index = Int.random(in: 0..<frames.count, using: &generator)
                frames[index] = generator.mutate(frames[index], alphabet: alphabet)
            }
            switch parsers[number / seeds.count % parsers.count].parse(frames: frames, received: 1).content {
            case .image(let image):
                accepted += 1
                XCTAssertTrue(SourceName.isValid(image.source), image.source)
                XCTAssertEqual(image.payload, frames.last)
                XCTAssertFalse(image.payload.isEmpty)
                if case .raw(let height, let width, let channels, let color) = image.encoding {
                    XCTAssertEqual(height * width * channels, image.payload.count)
                    XCTAssertEqual(channels == 1, color == .gray)
                }
            case .end(let source):
                ends += 1
                XCTAssertEqual(source, "door")
            case .rejected(let rejection):
                XCTAssertTrue(SourceName.isValid(rejection.source), rejection.source)
                XCTAssertTrue(words.contains(rejection.reason), rejection.reason)
                seen.insert(rejection.reason)
            }
        }
        // The mutations must reach both outcomes, and nearly every reason, to prove anything.
        XCTAssertGreaterThan(accepted, fuzzingInputs / 20)
        XCTAssertGreaterThan(ends, fuzzingInputs / 100)
        XCTAssertGreaterThanOrEqual(seen.count, words.count - 4, "\(words.subtracting(seen))")
    }
}
