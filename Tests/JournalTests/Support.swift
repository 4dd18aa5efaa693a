// A journal in a folder of its own, what it has told, and assignments to put in it.

import Foundation
import Journal
import StreamProtocol
import Synchronization
import XCTest

/// What a journal has told.
final class Events: Sendable {
    private let events = Mutex([JournalEvent]())
    var all: [JournalEvent] { events.withLock { $0 } }
    func add(_ event: JournalEvent) { events.withLock { $0.append(event) } }
}

extension XCTestCase {
    func temporaryFolder() throws -> String {
        let folder = NSTemporaryDirectory() + "journal-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        addTeardownBlock { try? FileManager.default.removeItem(atPath: folder) }
        return folder
    }

    func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    func journalError(_ body: () throws -> Void, file: StaticString = #filePath, line: UInt = #line) throws
        -> JournalError
    {
        do {
            try body()
        } catch let error as JournalError {
            return error
        }
        XCTFail("nothing was thrown", file: file, line: line)
        throw CocoaError(.featureUnsupported)
    }
}

extension Journal {
    convenience init(
        _ folder: String, keepRows: Int? = nil, keepSeconds: Int64? = nil,
        synchronous: JournalSettings.Synchronous = .normal,
        backlogBytes: Int = 64 << 20, events: Events = Events()
    ) throws {
        var settings = JournalSettings(
            directory: folder, keepRows: keepRows, keepSeconds: keepSeconds, synchronous: synchronous)
        settings.backlogBytes = backlogBytes
        try self.init(settings: settings) { events.add($0) }
    }

    var epoch: String { numbering.epoch }

    /// Appends assignments with these numbers, in batches.
    func append(_ numbers: ClosedRange<UInt64>, batch: Int = 32, published: Int64 = 5_000) {
        var messages: [AssignmentMessage] = []
        for number in numbers {
            messages.append(sample(number, epoch: epoch, published: published))
            guard messages.count == batch || number == numbers.upperBound else { continue }
            append(&messages)
            messages = []
        }
    }

    /// All numbers that can be replayed from `from` on, and those that cannot.
    func numbers(from: UInt64 = 1, epoch: String? = nil) throws -> (there: [UInt64], gone: [ClosedRange<UInt64>]) {
        var (there, gone): ([UInt64], [ClosedRange<UInt64>]) = ([], [])
        var next = from
        while true {
            let replay = try replay(epoch: epoch, from: next, limit: 700)
            if let gap = replay.gap { gone.append(gap) }
            there += replay.messages.map(\.sequence)
            guard replay.next > next else { return (there, gone) }
            next = replay.next
        }
    }
}

/// An assignment that differs from all others.
func sample(_ number: UInt64, epoch: String, published: Int64 = 5_000) -> AssignmentMessage {
    AssignmentMessage(
        epoch: epoch, sequence: number, source: "cam\(number % 3)", id: "\(number).jpg", sourceSequence: number,
        taken: Int64(number), received: published - 1_000, published: published, cluster: Int(number % 10),
        confidence: Float(number % 100) / 100, step: number / 8, model: "step-000000001")
}
