// A control endpoint that a test plays, on a thread of its own.

import Checkpoints
import Client
import Foundation
import Remote
import StreamProtocol
import Synchronization
import XCTest
import ZeroMQ

/// Answers every request with what the test's function gives.
final class ScriptedEndpoint: Sendable {
    let endpoint: String
    private let asked = Mutex([ControlRequest]())
    private let stop: StopSignal
    private let ended = DispatchSemaphore(value: 0)

    /// - Parameter answer: the frames for a request; none for no answer.
    init(
        at endpoint: String = "tcp://127.0.0.1:*", answer: @escaping @Sendable (ControlRequest) -> [[UInt8]]?
    ) throws {
        let stop = try StopSignal()
        self.stop = stop
        let context = try ZeroMQContext(linger: .seconds(1))
        var router = try context.socket(.router)
        self.endpoint = try router.bind(endpoint)
        let handed = Mutex<Socket?>(consume router)
        let thread = Thread { [self] in
            serve(handed.withLock { $0.take()! }, answer)
            ended.signal()
        }
        thread.start()
    }

    /// Answers until the stop signal; then the socket is closed and its port free.
    private func serve(_ socket: consuming Socket, _ answer: (ControlRequest) -> [[UInt8]]?) {
        var poller = Poller()
        _ = poller.add(socket, for: .readable)
        _ = poller.add(descriptor: stop.descriptor, for: .readable)
        while !stop.isRequested {
            _ = try? poller.wait()
            while case .frames(let frames)? = try? socket.tryReceive() {
                guard let request = try? ControlRequest(parsing: frames[frames.count - 1]) else { continue }
                asked.withLock { $0.append(request) }
                if let reply = answer(request) { try? socket.send([frames[0]] + reply) }
            }
        }
    }

    /// The requests so far.
    var requests: [ControlRequest] { asked.withLock { $0 } }

    /// Closes the socket.
    func close() {
        stop.request()
        ended.wait()
    }

    deinit { stop.request() }
}

extension ScriptedEndpoint {
    /// A daemon with one checkpoint, whose file comes in pieces of at most 1000 bytes.
    static func checkpoint(
        _ file: [UInt8], at endpoint: String = "tcp://127.0.0.1:*", sha256: String? = nil,
        answering: @escaping @Sendable (Int) -> Bool = { _ in true }
    ) throws -> ScriptedEndpoint {
        let sha256 = sha256 ?? digest(file)
        return try ScriptedEndpoint(at: endpoint) { request in
            if request.operation == "checkpoints" {
                let entry: [String: JSON] = [
                    "id": .string("step-000000007"), "bytes": JSON(file.count), "sha256": .string(sha256),
                ]
                return answer(["checkpoints": .array([.object(entry)])])
            }
            let offset = request.arguments["offset"]?.integer(as: Int.self) ?? 0
            guard answering(offset) else { return nil }
            return answer(
                ["id": .string("step-000000007"), "offset": JSON(offset)],
                Array(file[offset..<min(offset + 1000, file.count)]))
        }
    }

    /// The SHA-256 of bytes.
    static func digest(_ bytes: [UInt8]) -> String {
        var digest = SHA256()
        digest.update(bytes)
        return digest.hexadecimal()
    }
}

/// The frames of an answer.
private func answer(_ members: [String: JSON], _ attachment: [UInt8]? = nil) -> [[UInt8]] {
    ControlReply(members, attachments: attachment.map { [$0] } ?? []).frames
}
