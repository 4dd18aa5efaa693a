// A Gateway with real sockets on loopback ports that the system picks, and the senders and the subscriber that test it.

import Daemon
import Foundation
import Logging
import StreamProtocol
import XCTest
import ZeroMQ

let anyPort = "tcp://127.0.0.1:*"

/// A gateway, its peers' context, and a subscriber that is known to be connected.
final class GatewayRig {
    let gateway: Gateway
    let endpoints: Gateway.Endpoints
    let context: ZeroMQContext
    private var subscriber: Socket

    init(
        _ sources: [SourceSettings], subscriberHighWaterMark: Int = 1000,
        change: (inout GatewaySettings) -> Void = { _ in }
    ) throws {
        var settings = GatewaySettings(sources: sources, publishEndpoint: anyPort)
        settings.heartbeatInterval = .milliseconds(20)
        change(&settings)
        gateway = try Gateway(settings: settings, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        endpoints = try gateway.start(heartbeat: { [Array("heartbeat".utf8), []] })
        context = try ZeroMQContext(linger: .zero)
        subscriber = try context.socket(.sub)
        try subscriber.set(.receiveTimeout, .seconds(20))
        try subscriber.set(.receiveHighWaterMark, subscriberHighWaterMark)
        try subscriber.set(.subscribe, [])
        try subscriber.connect(endpoints.publisher)
        _ = try subscriber.receive()
    }

    func sender(_ kind: SocketKind = .push, source: Int = 0, highWaterMark: Int = 1000) throws -> Socket {
        var socket = try context.socket(kind)
        try socket.set(.sendHighWaterMark, highWaterMark)
        try socket.set(.sendTimeout, .seconds(20))
        try socket.set(.receiveTimeout, .seconds(20))
        try socket.connect(endpoints.sources[source])
        return socket
    }

    /// The next published message that is no heartbeat.
    func published() throws -> (topic: String, body: [String: Any]) {
        while true {
            guard case .frames(let frames) = try subscriber.receive() else { throw CocoaError(.fileReadTooLarge) }
            let topic = String(decoding: frames[0], as: UTF8.self)
            if topic == "heartbeat" { continue }
            let body = try JSONSerialization.jsonObject(with: Data(frames[1])) as? [String: Any]
            return (topic, body ?? [:])
        }
    }

    /// Waits until the gateway has beaten once more; what else comes before that is passed over.
    func heartbeat() throws {
        // Those that are there already say nothing of now.
        while try subscriber.tryReceive() != nil {}
        while true {
            guard case .frames(let frames) = try subscriber.receive() else { continue }
            if frames[0] == Array("heartbeat".utf8) { return }
        }
    }

    func takeNumbers(_ count: Int) -> [UInt64] {
        (0..<count).compactMap { _ in gateway.queues.take(trainingRoom: { true })?.image.sequence }
    }

    func counters(_ source: String) -> StreamCounters { gateway.statistics.snapshot[source] ?? StreamCounters() }
}

/// A message in clusterd's dialect with a number, which is in its name too.
func numberedMessage(_ number: Int, source: String = "cam1", payload: [UInt8] = [1, 2, 3]) -> [[UInt8]] {
    [Array(source.utf8), Array(#"{"v":1,"id":"image \#(number)","seq":\#(number)}"#.utf8), payload]
}

/// A source on a port that the system picks.
func sourceSettings(
    _ overload: SourceSettings.Overload, pattern: SourceSettings.Pattern = .pull, name: String = "queue"
) -> SourceSettings {
    SourceSettings(name: name, endpoint: anyPort, pattern: pattern, overload: overload)
}
