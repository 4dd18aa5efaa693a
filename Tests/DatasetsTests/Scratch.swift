// A folder of its own for each test, and the files that tests read, written byte by byte.

import CZlib
import Datasets
import Foundation
import XCTest

/// A temporary folder; gone with the test.
struct Scratch {
    let path: String

    init(_ test: XCTestCase) throws {
        path = NSTemporaryDirectory() + "datasets-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let path = path
        test.addTeardownBlock { try? FileManager.default.removeItem(atPath: path) }
    }

    /// Writes a file, with the folders above it, and returns its path.
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8] = Array("picture".utf8)) throws -> String {
        let file = path + "/" + name
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }

    /// Links `name` to `target`, as it would be written in `name`'s folder.
    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path + "/" + name, withDestinationPath: target)
    }
}

/// An IDX file of unsigned bytes.
func idx(_ shape: [Int], _ bytes: [UInt8]) -> [UInt8] {
    [0, 0, 8, UInt8(shape.count)] + shape.flatMap { extent in (0..<4).map { UInt8(extent >> (24 - 8 * $0) & 255) } }
        + bytes
}

/// Packs bytes as gzip does: `deflateInit2` with 16 added to the window bits.
func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    precondition(
        deflateInit2_(
            &stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
            == Z_OK)
    defer { deflateEnd(&stream) }
    var input = bytes
    return input.withUnsafeMutableBufferPointer { source in
        stream.next_in = source.baseAddress
        stream.avail_in = UInt32(source.count)
        return [UInt8](unsafeUninitializedCapacity: Int(deflateBound(&stream, UInt(source.count)))) { target, filled in
            stream.next_out = target.baseAddress
            stream.avail_out = UInt32(target.count)
            precondition(deflate(&stream, Z_FINISH) == Z_STREAM_END)
            filled = Int(stream.total_out)
        }
    }
}

/// The error that `body` throws; nil, and a failure, where it throws none or one of another type.
func thrown<Value>(
    _ body: @autoclosure () throws -> Value, file: StaticString = #filePath, line: UInt = #line
) -> DatasetError? {
    do {
        _ = try body()
        XCTFail("nothing was thrown", file: file, line: line)
    } catch let error as DatasetError {
        return error
    } catch {
        XCTFail("unexpected error: \(error)", file: file, line: line)
    }
    return nil
}
