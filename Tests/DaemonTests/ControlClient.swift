// A client of the control endpoint, as REQ or DEALER, on a real socket.

import Daemon
import Foundation
import StreamProtocol
import XCTest
import ZeroMQ

/// A connected client.
final class ControlClient {
    private let context: ZeroMQContext
    private var socket: Socket

    /// Begins to connect.
    ///
    /// - Parameter timeout: how long an answer may take.
    init(_ endpoint: String?, kind: SocketKind = .req, timeout: Duration? = .seconds(30)) throws {
        context = try ZeroMQContext(linger: .zero)
        socket = try context.socket(kind)
        try socket.set(.receiveTimeout, timeout)
        try socket.set(.sendTimeout, .seconds(30))
        try socket.connect(try XCTUnwrap(endpoint))
    }

    func send(_ frames: [[UInt8]]) throws { try socket.send(frames) }

    func receive() throws -> [[UInt8]] {
        guard case .frames(let frames) = try socket.receive(limits: ReceiveLimits(maxFrames: 20_000)) else {
            throw CocoaError(.fileReadTooLarge)
        }
        return frames
    }

    /// Asks, and returns the answer.
    func ask(_ operation: String, _ arguments: [String: JSON] = [:]) throws -> ControlReply {
        try send([ControlRequest(operation, arguments).frame])
        return try ControlReply(frames: try receive())
    }

    /// Sends bytes that are to be refused, and returns the code of the refusal.
    func refusal(of frames: [[UInt8]]) throws -> String? {
        try send(frames)
        let answer = try receive()
        do throws(ControlFailure) {
            _ = try ControlReply(frames: answer)
            return nil
        } catch {
            return error.code
        }
    }
}

extension RunningService {
    func controlClient(_ kind: SocketKind = .req) throws -> ControlClient {
        try ControlClient(endpoints.control, kind: kind)
    }
}

extension ControlReply {
    /// The member at a path such as `training.steps`.
    subscript(path: String) -> JSON? {
        path.split(separator: ".").reduce(JSON.object(members)) { $0?.members?[String($1)] }
    }
}
