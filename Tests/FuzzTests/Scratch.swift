// A folder for the targets that read files, in memory where the system has such a place.

import Foundation
import XCTest

/// A temporary folder; gone with the test.
struct Scratch {
    let path: String

    init(_ test: XCTestCase) throws {
        let memory = "/dev/shm"
        let parent = access(memory, W_OK) == 0 ? memory + "/" : NSTemporaryDirectory()
        let path = parent + "clusterd-fuzz-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        test.addTeardownBlock { try? FileManager.default.removeItem(atPath: path) }
        self.path = path
    }
}
