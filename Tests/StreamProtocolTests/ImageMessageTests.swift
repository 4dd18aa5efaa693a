// What a sender writes is what the parser reads.

import StreamProtocol
import XCTest

final class ImageMessageTests: XCTestCase {
    func testTheHeaderHasWhatWasGivenAndNoMore() {
        let bare = ImageMessage(source: "cam1", payload: [9]).frames
        XCTAssertEqual(bare.map(text), ["cam1", #"{"v":1}"#, "\t"])
        let full = ImageMessage(
            source: "cam1", id: "a \"b\"", sequence: .max, taken: .min, label: .number(7),
            encoding: .file(format: "png"),
            payload: [9])
        XCTAssertEqual(
            text(full.frames[1]),
            #"{"v":1,"id":"a \"b\"","seq":18446744073709551615,"t":-9223372036854775808,"label":7,"format":"png"}"#)
        let raw = ImageMessage(
            source: "cam1", label: .text("7"), encoding: .raw(height: 2, width: 4, channels: 3, color: .bgr),
            payload: [9])
        XCTAssertEqual(
            text(raw.frames[1]),
            #"{"v":1,"label":"7","format":"raw","shape":[2,4,3],"dtype":"uint8","color":"bgr"}"#)
    }

    func testTheParserReadsWhatIsWritten() throws {
        let encodings: [PayloadEncoding] = [
            .file(format: nil), .file(format: "jpeg"), .file(format: "webp"),
            .raw(height: 2, width: 4, channels: 3, color: .rgb), .raw(height: 3, width: 8, channels: 1, color: .gray),
            .raw(height: 3, width: 2, channels: 4, color: .bgr),
        ]
        let labels: [Label?] = [nil, .text("kü\n"), .text(""), .number(.max), .number(.min)]
        for encoding in encodings {
            for label in labels {
                let sent = ImageMessage(
                    source: "cam.1", id: "küche/\u{0}\u{1F}\\😀.jpg", sequence: .max, taken: .max, label: label,
                    encoding: encoding, payload: [UInt8](0..<24))
                for dialect in [Dialect.auto, .clusterd] {
                    let image = try MessageParser.door(dialect).image(sent.frames)
                    let received = ImageMessage(
                        source: image.source, id: image.id, sequence: image.sequence, taken: image.taken,
                        label: image.label, encoding: image.encoding, payload: image.payload)
                    XCTAssertEqual(received, sent)
                }
            }
        }
    }

    func testNamesOfSources() {
        for name in ["a", "cam1", "A_z.0-9", String(repeating: "x", count: 64)] {
            XCTAssertTrue(SourceName.isValid(name))
            XCTAssertEqual(SourceName.sanitise(name), name)
        }
        for name in ["", "a b", "ü", "a/b", "a\0", String(repeating: "x", count: 65)] {
            XCTAssertFalse(SourceName.isValid(name), name)
            if let sanitised = SourceName.sanitise(name) { XCTAssertTrue(SourceName.isValid(sanitised), sanitised) }
        }
        XCTAssertNil(SourceName.sanitise(""))
        XCTAssertEqual(SourceName.sanitise("../küche 1"), ".._k_che_1")
        // One character of several scalars is as many.
        XCTAssertEqual(SourceName.sanitise("e\u{301}x"), "e_x")
    }
}
