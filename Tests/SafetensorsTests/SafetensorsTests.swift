// Reading what the reference implementation wrote, and reading again what was written here.

import Foundation
import Safetensors
import Tensors
import XCTest

final class SafetensorsTests: XCTestCase {
    /// Fixtures/python_reference.py wrote it.
    private var pythonFile: String {
        Bundle.module.resourceURL!.appendingPathComponent("Fixtures/python.safetensors").path
    }

    func testWhatPythonWroteIsRead() throws {
        let file = try SafetensorsFile(path: pythonFile)
        XCTAssertEqual(
            file.metadata, ["format": "pt", "text": "a \"quoted\" \\ line\nbreak \t \u{e9} \u{1F4F7}"])
        let expected: [NamedTensor] = [
            NamedTensor(
                name: "float32", shape: [2, 3],
                elements: .float32([1.5, -2.25, .infinity, 0, .leastNonzeroMagnitude, .greatestFiniteMagnitude])),
            NamedTensor(name: "float64", shape: [2], elements: .float32([0.1, -.infinity])),
            NamedTensor(name: "float16", shape: [3], elements: .float32([0.5, -65504, 0x1p-24])),
            NamedTensor(name: "bfloat16", shape: [2], elements: .float32([1, -3.140625])),
            NamedTensor(name: "int64", shape: [], elements: .int64([-(1 << 62)])),
            NamedTensor(name: "int32", shape: [2], elements: .int64([-(1 << 31), 7])),
            NamedTensor(name: "int16", shape: [1], elements: .int64([-(1 << 15)])),
            NamedTensor(name: "int8", shape: [2], elements: .int64([-128, 127])),
            NamedTensor(name: "uint8", shape: [1, 2, 3], elements: .uint8([0, 1, 2, 3, 4, 5])),
            NamedTensor(name: "bool", shape: [3], elements: .uint8([1, 0, 1])),
            NamedTensor(name: "empty", shape: [0, 3], elements: .float32([])),
        ]
        XCTAssertEqual(file.tensors.count, expected.count)
        for tensor in expected { XCTAssertEqual(file[tensor.name], tensor) }
    }

    func testWhatIsWrittenIsReadAgain() throws {
        let file = SafetensorsFile(
            tensors: [
                NamedTensor(name: "b", shape: [3], elements: .uint8([1, 2, 3])),
                NamedTensor(name: "resnet.conv1.weight", shape: [1, 2, 1, 2], elements: .float32([1, -0.0, 3, 4])),
                NamedTensor(name: "count \"é\"\n", shape: [], elements: .int64([.min])),
                NamedTensor(name: "", shape: [2, 0], elements: .float32([])),
            ],
            metadata: ["a": "line\nbreak \u{1}\u{1F4F7}", "b\\": ""])
        let bytes = file.encoded()
        let again = try SafetensorsFile(bytes: bytes)
        XCTAssertEqual(again.metadata, file.metadata)
        // Larger elements first, then by name, so that every tensor is aligned.
        XCTAssertEqual(again.tensors, [2, 3, 1, 0].map { file.tensors[$0] })
        let headerLength = bytes.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
        XCTAssertEqual(headerLength % 8, 0)
    }

    func testEqualContentsGiveEqualBytes() {
        let tensors = (0..<50).map { NamedTensor(name: "t\($0)", shape: [1], elements: .float32([Float($0)])) }
        let metadata = Dictionary(uniqueKeysWithValues: (0..<50).map { ("k\($0)", "\($0)") })
        let bytes = SafetensorsFile(tensors: tensors, metadata: metadata).encoded()
        XCTAssertEqual(SafetensorsFile(tensors: tensors.reversed(), metadata: metadata).encoded(), bytes)
    }

    func testAnEmptyFileIsValid() throws {
        let bytes = SafetensorsFile(tensors: []).encoded()
        XCTAssertEqual(try SafetensorsFile(bytes: bytes), SafetensorsFile(tensors: []))
    }

    func testSystemErrorsNameTheFile() {
        XCTAssertThrowsError(try SafetensorsFile(path: "/nowhere/x.safetensors")) {
            XCTAssertEqual(($0 as? SafetensorsError)?.kind, .system(ENOENT))
            XCTAssertTrue("\($0)".hasPrefix("cannot open /nowhere/x.safetensors: No such file"), "\($0)")
        }
        XCTAssertThrowsError(try SafetensorsFile(path: "/dev/zero")) {
            XCTAssertEqual("\($0)", "cannot read /dev/zero: not a regular file")
        }
    }
}
