// imagezmq's dialect, with headers that imagezmq 1.2.0 itself has sent.
//
// Captured with
//     sender = imagezmq.ImageSender("tcp://127.0.0.1:5999", REQ_REP=False)
//     sender.send_image(msg, array)  or  sender.send_jpg(msg, cv2.imencode(".jpg", array)[1])
// and a SUB socket's recv_multipart(); `array` counts up from 0 as uint8.

import StreamProtocol
import XCTest

final class ImageZMQDialectTests: XCTestCase {
    private let parser = MessageParser.door(.imagezmq)
    private let bytes = [UInt8](0..<24)

    func testColourPixelsHaveTheSourcesOrder() throws {
        let frames = message(header: #"{"msg": "cam 1", "dtype": "uint8", "shape": [2, 4, 3]}"#, payload: bytes)
        for color in [ColorOrder.bgr, .rgb] {
            for dialect in [Dialect.imagezmq, .auto] {
                let image = try MessageParser.door(dialect, color: color).image(frames)
                XCTAssertEqual(image.source, "cam_1")
                XCTAssertNil(image.id)
                XCTAssertNil(image.sequence)
                XCTAssertEqual(image.received, 77)
                XCTAssertEqual(image.encoding, .raw(height: 2, width: 4, channels: 3, color: color))
                XCTAssertEqual(image.payload, bytes)
            }
        }
        let rejection = try MessageParser.door(.imagezmq, color: .gray).rejection(frames)
        XCTAssertEqual([rejection.source, rejection.reason], ["cam_1", "invalid-color"])
    }

    func testGreyAndFourChannels() throws {
        let grey = message(header: #"{"msg": "cam1", "dtype": "uint8", "shape": [2, 3]}"#, payload: [0, 1, 2, 3, 4, 5])
        XCTAssertEqual(try parser.image(grey).encoding, .raw(height: 2, width: 3, channels: 1, color: .gray))
        XCTAssertEqual(
            try MessageParser.door(.imagezmq, color: .gray).image(grey).encoding,
            .raw(height: 2, width: 3, channels: 1, color: .gray))
        let alpha = message(
            header: #"{"msg": "cam1", "dtype": "uint8", "shape": [2, 2, 4]}"#, payload: Array(bytes.prefix(16)))
        XCTAssertEqual(try parser.image(alpha).encoding, .raw(height: 2, width: 2, channels: 4, color: .bgr))
    }

    func testAJPEG() throws {
        let jpeg: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0, 0x00, 0x10, 0x4A, 0x46, 0x49, 0x46]
        // msg="rpi-küche-\U0001F600"
        let image = try parser.image(message(header: #"{"msg": "rpi-k\u00fcche-\ud83d\ude00"}"#, payload: jpeg))
        XCTAssertEqual(image.source, "rpi-k_che-_")
        XCTAssertEqual(image.encoding, .file(format: nil))
        XCTAssertEqual(image.payload, jpeg)
    }

    func testAMessageThatIsNoTextNamesNobody() throws {
        // msg={"name": "küche", "x": float("nan"), "y": [1, float("-inf")]}
        let header =
            #"{"msg": {"name": "k\u00fcche", "x": NaN, "y": [1, -Infinity]}, "dtype": "uint8", "shape": [2, 4, 3]}"#
        for dialect in [Dialect.imagezmq, .auto] {
            let image = try MessageParser.door(dialect).image(message(header: header, payload: bytes))
            XCTAssertEqual(image.source, "door")
            XCTAssertEqual(image.encoding, .raw(height: 2, width: 4, channels: 3, color: .bgr))
        }
        for msg in ["null", "7", "true", #""""#, "[]"] {
            XCTAssertEqual(try MessageParser.door().image(message(header: #"{"msg": \#(msg)}"#)).source, "door")
        }
    }

    func testRejections() throws {
        let cases: [(String, RejectionReason)] = [
            // array.astype(numpy.float32)
            (#"{"msg": "cam1", "dtype": "float32", "shape": [2, 4, 3]}"#, .unsupportedDtype),
            (#"{"msg": "cam1", "dtype": "uint8"}"#, .missingKey),
            (#"{"msg": "cam1", "shape": [2, 4]}"#, .shapeMismatch),
            (#"{"msg": "cam1", "dtype": "uint8", "shape": [2, 4, 2]}"#, .invalidShape),
            (#"{"msg": "cam1", "dtype": "uint8", "shape": [24]}"#, .invalidShape),
            (#"{"msg": "cam1", "dtype": "uint8", "shape": [1, 8, 3]}"#, .tooSmall),
        ]
        for (header, reason) in cases {
            for dialect in [Dialect.imagezmq, .auto] {
                let rejection = try MessageParser.door(dialect).rejection(message(header: header, payload: bytes))
                XCTAssertEqual(rejection.reason, reason.rawValue, header)
                XCTAssertEqual(rejection.source, "cam1")
            }
        }
        let empty = try parser.rejection(message(header: #"{"msg": "cam1"}"#, payload: []))
        XCTAssertEqual([empty.source, empty.reason], ["cam1", "empty-payload"])
        XCTAssertEqual(try parser.rejection(message(header: "{")).reason, "header-not-json")
        XCTAssertEqual(try parser.rejection(message(header: "[]")).reason, "header-not-object")
        for count in [0, 1, 3, 4] {
            XCTAssertEqual(try parser.rejection([[UInt8]](repeating: [1], count: count)).reason, "frame-count")
        }
    }
}
