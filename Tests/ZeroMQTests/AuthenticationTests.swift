// Encrypted sockets and the handler that says who may connect.

import XCTest
import ZeroMQ

final class AuthenticationTests: XCTestCase {
    private func request(_ change: (inout [[UInt8]]) -> Void = { _ in }) -> [[UInt8]] {
        var frames = ["1.0", "7", "sources.queue", "10.0.0.1", "", "CURVE"].map { Array($0.utf8) }
        frames.append([UInt8](repeating: 3, count: 32))
        change(&frames)
        return frames
    }

    func testARequestIsRead() throws {
        let read = try ZAPRequest(frames: request())
        XCTAssertEqual(read.id, Array("7".utf8))
        XCTAssertEqual(read.domain, "sources.queue")
        XCTAssertEqual(read.address, "10.0.0.1")
        XCTAssertEqual(read.curveKey, CurveKey(bytes: [UInt8](repeating: 3, count: 32)))
        for change: (inout [[UInt8]]) -> Void in [
            { $0[5] = Array("PLAIN".utf8) }, { $0[5] = Array("NULL".utf8) }, { $0.append([1]) }, { $0.removeLast() },
            { $0[6].removeLast() }, { $0[6] = [] },
        ] {
            XCTAssertNil(try ZAPRequest(frames: request(change)).curveKey)
        }
    }

    func testWhatIsNoRequestIsDenied() throws {
        let context = try ZeroMQContext(linger: .zero)
        var handler = try ZAPHandler(context: context)
        var peer = try context.socket(.req)
        try peer.set(.receiveTimeout, .seconds(60))
        try peer.connect("inproc://zeromq.zap.01")
        for change: (inout [[UInt8]]) -> Void in [
            { $0 = [[]] }, { $0 = [Array("1.0".utf8)] }, { $0.removeLast(2) }, { $0[0] = Array("2.0".utf8) },
            { $0[0] = [] }, { $0[2] = [UInt8](repeating: 65, count: 256) },
            { $0 = [[UInt8]](repeating: [], count: 40) }, { $0[6] = [UInt8](repeating: 1, count: 1 << 20) },
        ] {
            try peer.send(request(change))
            XCTAssertTrue(
                try handler.answer { request in
                    if case .success(let request) = request { XCTFail("\(request)") }
                    return .accepted(user: "nobody")
                })
            guard case .frames(let reply) = try peer.receive() else { return XCTFail("no reply") }
            XCTAssertEqual(reply.count, 6)
            XCTAssertEqual(reply[2], Array("400".utf8))
        }
        try peer.send(request())
        XCTAssertTrue(try handler.answer { _ in .accepted(user: "me") })
        XCTAssertEqual(try peer.receive(), .frames(["1.0", "7", "200", "OK", "me", ""].map { Array($0.utf8) }))
        XCTAssertFalse(try handler.answer { _ in .denied })
        XCTAssertThrowsError(try { _ = try ZAPHandler(context: context) }(), "one a context")
    }

    /// A PULL socket that lets a handler decide, and a PUSH socket with a message for it.
    private final class Connection {
        var pull: Socket
        var monitor: SocketMonitor
        var push: Socket
        private var handler: ZAPHandler?

        init(_ keys: CurveClient?, server: CurveKeyPair, isHandled: Bool = true) throws {
            let context = try ZeroMQContext(linger: .zero)
            if isHandled { handler = try ZAPHandler(context: context) }
            pull = try context.socket(.pull)
            push = try context.socket(.push)
            try pull.set(.receiveTimeout, .seconds(60))
            try pull.useCurveServer(server, domain: "test")
            monitor = try SocketMonitor(pull, context: context)
            let endpoint = try pull.bind("tcp://127.0.0.1:*")
            if let keys { try push.useCurve(keys) }
            try push.connect(endpoint)
            try push.send([[42]])
        }

        /// What first happens while the handler gives this reply.
        func event(reply: ZAPReply) throws -> ConnectionEvent? {
            let deadline = ContinuousClock.now + .seconds(60)
            var poller = Poller()
            _ = monitor.add(to: &poller)
            _ = handler?.add(to: &poller)
            while ContinuousClock.now < deadline {
                if let event = try monitor.next() { return event }
                _ = try poller.wait(timeout: .milliseconds(100))
                _ = try handler?.answer { _ in reply }
            }
            return nil
        }
    }

    func testWhomTheHandlerAcceptsGetsIn() throws {
        let server = try CurveKeyPair.generate()
        let connection = try Connection(try CurveClient(serverKey: server.publicKey, keys: nil), server: server)
        XCTAssertEqual(try connection.event(reply: .accepted(user: "me")), .connected)
        XCTAssertEqual(try connection.pull.receive(), .frames([[42]]))
    }

    func testOthersDoNot() throws {
        let server = try CurveKeyPair.generate()
        let stranger = try CurveClient(serverKey: server.publicKey, keys: nil)
        let misled = try CurveClient(serverKey: try CurveKeyPair.generate().publicKey, keys: nil)
        // Of two that do not fit, whichever notices first breaks it off.
        let cases: [(keys: CurveClient?, isHandled: Bool, failures: Set<HandshakeFailure>)] = [
            (stranger, true, [.denied]), (misled, true, [.cryptographic]), (nil, true, [.mechanism, .incomplete]),
            (stranger, false, [.incomplete]),
        ]
        for (keys, isHandled, failures) in cases {
            let connection = try Connection(keys, server: server, isHandled: isHandled)
            guard case .handshakeFailed(let failure) = try connection.event(reply: .denied) else {
                XCTFail("not \(failures)")
                continue
            }
            XCTAssertTrue(failures.contains(failure), "\(failure), not \(failures)")
            XCTAssertEqual(connection.monitor.peerCount, 0)
            XCTAssertNil(try connection.pull.tryReceive())
        }
    }
}
