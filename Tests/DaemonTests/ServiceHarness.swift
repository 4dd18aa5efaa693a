// The whole daemon in this process, on ports that the system picks, with a sender and a subscriber on real sockets.

import ContrastiveClustering
import Daemon
import Foundation
import Logging
import StreamProtocol
import XCTest
import ZeroMQ

/// A folder that goes with the test.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/clusterd-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var files: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix(".") }.sorted()
        }
    }

    var checkpoints: [String] { get throws { try files.filter { !$0.hasPrefix("journal.") } } }
}

/// A message that should not have come.
struct Unexpected: Error {
    let message: PublishedMessage
}

/// A service with `BrightnessLearner`s that is running, and a subscriber that is known to be connected.
final class RunningService {
    let service: Service
    let folder: TemporaryFolder
    let endpoints: Gateway.Endpoints
    let context: ZeroMQContext
    let training: LearnerRecord
    let gate: Gate
    let log: Monitor<[String]>
    private var subscriber: Socket
    /// What came while a heartbeat was waited for.
    private var backlog: [PublishedMessage] = []

    /// The sources of a service whose configuration says nothing else: `stream` (SUB) and `queue` (PULL).
    static let stream = 0
    static let queue = 1

    init(
        folder: TemporaryFolder? = nil, batchSize: Int = 4, gateOpen: Bool = true, announcementInterval: Double = 30,
        patience: Double = 1, change: (inout Configuration) -> Void = { _ in },
        makeLearner: (@Sendable (LearnerRole, Configuration) -> LearnerHandover)? = nil
    ) throws {
        let folder = try folder ?? TemporaryFolder()
        var configuration = Self.configuration(folder)
        configuration.train.batchSize = batchSize
        change(&configuration)
        let (logger, log) = MemoryLog.logger()
        let (training, gate) = (LearnerRecord(), Gate(isOpen: gateOpen))
        let settled = configuration
        var pace = Service.Pace()
        pace.heartbeat = .milliseconds(20)
        pace.announcement = announcementInterval
        pace.patience = patience
        service = try Service(configuration: configuration, logger: logger, pace: pace) { role in
            if let makeLearner { return makeLearner(role, settled) }
            return LearnerHandover(
                role == .training ? BrightnessLearner(record: training, gate: gate) : BrightnessLearner())
        }
        (self.folder, self.log, self.training, self.gate) = (folder, log, training, gate)
        endpoints = try service.start()
        context = try ZeroMQContext(linger: .zero)
        subscriber = try context.socket(.sub)
        try subscriber.set(.receiveTimeout, .seconds(30))
        try subscriber.set(.subscribe, [])
        try subscriber.connect(endpoints.publisher)
        // The first heartbeat.
        _ = try subscriber.receive()
    }

    deinit {
        gate.open()
        service.stop()
    }

    /// The defaults on ports that the system picks, with the state in `folder`.
    static func configuration(_ folder: TemporaryFolder) -> Configuration {
        var configuration = Configuration(stateDirectory: folder.path)
        for index in configuration.sources.indices { configuration.sources[index].endpoint = "tcp://127.0.0.1:*" }
        configuration.publish.endpoint = "tcp://127.0.0.1:*"
        configuration.controlEndpoint = "tcp://127.0.0.1:*"
        configuration.httpListen = "off"
        configuration.model.clusters = 4
        return configuration
    }

    func sender(_ kind: SocketKind = .push, source: Int = RunningService.queue) throws -> Socket {
        var socket = try context.socket(kind)
        try socket.set(.sendTimeout, .seconds(30))
        try socket.set(.receiveTimeout, .seconds(30))
        try socket.connect(endpoints.sources[source])
        return socket
    }

    /// The next published message that is no heartbeat.
    func next() throws -> PublishedMessage {
        if !backlog.isEmpty { return backlog.removeFirst() }
        while true {
            let message = try receive()
            if case .heartbeat = message { continue }
            return message
        }
    }

    /// The next heartbeat; what comes before it is kept for `next`.
    func nextHeartbeat() throws -> HeartbeatMessage {
        while true {
            let message = try receive()
            if case .heartbeat(let heartbeat) = message { return heartbeat }
            backlog.append(message)
        }
    }

    /// Forgets what came while a heartbeat was waited for.
    func forget() { backlog = [] }

    private func receive() throws -> PublishedMessage {
        guard case .frames(let frames) = try subscriber.receive() else { throw CocoaError(.fileReadTooLarge) }
        return try PublishedMessage(frames: frames)
    }

    /// The next assignments, which must come before anything else but heartbeats, checkpoints and relabelings.
    func assignments(_ count: Int) throws -> [AssignmentMessage] {
        var assignments: [AssignmentMessage] = []
        while assignments.count < count {
            switch try next() {
            case .assignment(let assignment): assignments.append(assignment)
            case .checkpoint, .relabeling: continue
            case let other: throw Unexpected(message: other)
            }
        }
        return assignments
    }

    func nextCheckpoint() throws -> CheckpointMessage {
        while true { if case .checkpoint(let message) = try next() { return message } }
    }
}

/// A message in clusterd's dialect.
func message(_ header: String, _ payload: [UInt8], source: String = "cam") -> [[UInt8]] {
    [Array(source.utf8), Array(header.utf8), payload]
}

/// A grey 2 x 2 picture in clusterd's dialect.
func greyMessage(_ number: Int, grey: UInt8? = nil, source: String = "cam") -> [[UInt8]] {
    let value = grey ?? UInt8(number)
    return message(
        #"{"v":1,"id":"\#(number)","seq":\#(number),"format":"raw","shape":[2,2],"dtype":"uint8","color":"gray"}"#,
        [value, value, value, value], source: source)
}
