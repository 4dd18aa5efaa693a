// NetGear's dialect, with headers that vidgear's own senders of several versions have sent.
//
// Captured with
//     sender = NetGear(address="127.0.0.1", port=port, protocol="tcp", pattern=0, **options)
//     sender.send(numpy.arange(24, dtype=numpy.uint8).reshape(2, 4, 3), message=message); sender.close()
// and a PAIR socket's recv_multipart(); vidgear 0.1.5, 0.1.7, 0.2.1 and 0.3.6 from PyPI.

import StreamProtocol
import XCTest

final class NetGearDialectTests: XCTestCase {
    private let bytes = [UInt8](0..<24)
    private let jpeg: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0, 0x00, 0x10, 0x4A, 0x46, 0x49, 0x46]

    func testRawPixelsOfEveryVersion() throws {
        let headers = [
            #"{"terminate_flag": false, "message": "", "dtype": "uint8", "shape": [2, 4, 3]}"#,
            #"{"terminate_flag": false, "compression": "", "message": null, "pattern": "0", "dtype": "uint8", "shape": [2, 4, 3]}"#,
            #"{"terminate_flag": false, "compression": "None", "message": null, "pattern": "0", "dtype": "uint8", "shape": [2, 4, 3]}"#,
            #"{"terminate_flag": false, "compression": false, "message": null, "pattern": "0", "dtype": "uint8", "shape": [2, 4, 3]}"#,
            #"{"port": "5566", "terminate_flag": false, "compression": false, "message": {"a": 1}, "pattern": "1", "dtype": "uint8", "shape": [2, 4, 3]}"#,
        ]
        for header in headers {
            for (dialect, color) in [(Dialect.netgear, ColorOrder.bgr), (.auto, .rgb)] {
                let image = try MessageParser.door(dialect, color: color).image(message(header: header, payload: bytes))
                XCTAssertEqual(image.source, "door")
                XCTAssertNil(image.id, header)
                XCTAssertNil(image.sequence)
                XCTAssertEqual(image.encoding, .raw(height: 2, width: 4, channels: 3, color: color), header)
                XCTAssertEqual(image.payload, bytes)
            }
        }
    }

    func testAJPEGOfEveryVersion() throws {
        let headers = [
            // The shape is that of the file's bytes; OpenCV 4 makes it [644, 1].
            #"{"terminate_flag": false, "compression": ".jpg", "message": null, "pattern": "0", "dtype": "uint8", "shape": [644]}"#,
            #"{"terminate_flag": false, "compression": {"dct": true, "ups": false}, "message": null, "pattern": "0", "dtype": "", "shape": ""}"#,
            #"{"terminate_flag": false, "compression": {"dct": true, "ups": false, "colorspace": "BGR"}, "message": null, "pattern": "0", "dtype": "", "shape": ""}"#,
        ]
        for header in headers {
            let image = try MessageParser.door().image(message(header: header, payload: jpeg))
            XCTAssertEqual(image.encoding, .file(format: nil), header)
            XCTAssertEqual(image.payload, jpeg)
        }
    }

    func testAMessageThatCanNameAnImageDoes() throws {
        for (text, id) in [
            (#""frame 7""#, "frame 7"), ("7", "7"), ("7.5", nil), ("true", nil), ("[1]", nil), (#""""#, nil),
        ] as [(String, String?)] {
            let header =
                #"{"terminate_flag": false, "compression": false, "message": \#(text), "dtype": "uint8", "shape": [2, 4, 3]}"#
            XCTAssertEqual(try MessageParser.door().image(message(header: header, payload: bytes)).id, id, text)
        }
    }

    func testTheEndOfAStream() throws {
        for dialect in [Dialect.netgear, .auto] {
            for header in [#"{"terminate_flag": true}"#, #"{"terminate_flag": true, "port": "5566"}"#] {
                for frames in [[Array(header.utf8)], message(header: header)] {
                    let end = MessageParser.door(dialect).parse(frames: frames, received: 1)
                    XCTAssertEqual(end.dialect, .netgear)
                    guard case .end("door") = end.content else { return XCTFail("\(end)") }
                }
            }
        }
    }

    func testRejections() throws {
        let cases: [(String, RejectionReason)] = [
            (#"{"terminate_flag": null, "compression": false}"#, .invalidKey),
            (#"{"terminate_flag": 0}"#, .invalidKey),
            (#"{"terminate_flag": false, "compression": 3}"#, .invalidKey),
            (#"{"terminate_flag": false, "compression": false}"#, .missingKey),
            (#"{"terminate_flag": false, "dtype": "float32", "shape": [2, 4, 3]}"#, .unsupportedDtype),
            (#"{"terminate_flag": false, "dtype": "uint8", "shape": [2, 3, 3]}"#, .shapeMismatch),
            (#"{"terminate_flag": false, "dtype": "uint8", "shape": ""}"#, .invalidShape),
        ]
        for (header, reason) in cases {
            for dialect in [Dialect.netgear, .auto] {
                let rejection = try MessageParser.door(dialect).rejection(message(header: header, payload: bytes))
                XCTAssertEqual([rejection.source, rejection.reason], ["door", reason.rawValue], header)
            }
        }
        let parser = MessageParser.door(.netgear)
        XCTAssertEqual(try parser.rejection([Array(#"{"terminate_flag": false}"#.utf8)]).reason, "frame-count")
        XCTAssertEqual(try parser.rejection(message(header: #"{"msg": "cam1"}"#)).reason, "missing-key")
        XCTAssertEqual(
            try parser.rejection(message(header: #"{"terminate_flag": false, "message": "a"}"#, payload: [])).reason,
            "empty-payload")
        for count in [0, 3, 4] {
            XCTAssertEqual(try parser.rejection([[UInt8]](repeating: [1], count: count)).reason, "frame-count")
        }
    }
}
