// Limits, back-pressure, errors, polling and closing.

import XCTest
import ZeroMQ

/// A socket whose blocking calls give up, so that a broken test ends.
func testSocket(_ context: ZeroMQContext, _ kind: SocketKind) throws -> Socket {
    var socket = try context.socket(kind)
    try socket.set(.sendTimeout, .seconds(60))
    try socket.set(.receiveTimeout, .seconds(60))
    return socket
}

final class SocketTests: XCTestCase {
    private let anyPort = "tcp://127.0.0.1:*"

    func testPortInUseIsNamedWithItsEndpoint() throws {
        let context = try ZeroMQContext()
        var first = try testSocket(context, .pull)
        var second = try testSocket(context, .pull)
        let endpoint = try first.bind(anyPort)
        XCTAssertThrowsError(try second.bind(endpoint)) { error in
            let error = error as! ZeroMQError
            XCTAssertEqual(error.operation, "bind")
            XCTAssertEqual(error.endpoint, endpoint)
            XCTAssertEqual(error.code, EADDRINUSE)
            XCTAssertEqual(
                error.description,
                "cannot bind \(endpoint): port already in use "
                    + "(another program, perhaps a clusterd already running, listens on \(endpoint))")
        }
    }

    func testMalformedEndpointsAreNamed() throws {
        let context = try ZeroMQContext()
        var socket = try testSocket(context, .pull)
        for endpoint in ["", "5555", "tcp://127.0.0.1", "tcp://127.0.0.1:port", "carrier-pigeon://roof"] {
            XCTAssertThrowsError(try socket.bind(endpoint)) {
                XCTAssertEqual(($0 as! ZeroMQError).endpoint, endpoint)
                XCTAssertNotNil(($0 as! ZeroMQError).hint, "\($0)")
            }
        }
        XCTAssertThrowsError(try socket.connect("nonsense")) {
            XCTAssertEqual(($0 as! ZeroMQError).operation, "connect to")
        }
    }

    func testUnbindFreesThePort() throws {
        let context = try ZeroMQContext()
        var first = try testSocket(context, .pull)
        var second = try testSocket(context, .pull)
        let endpoint = try first.bind(anyPort)
        try first.unbind(endpoint)
        XCTAssertThrowsError(try first.unbind(endpoint))
        // The listener is closed by an input/output thread soon after unbind returns.
        let deadline = Date() + 60
        var bound: String?
        while bound == nil, Date() < deadline { bound = try? second.bind(endpoint) }
        XCTAssertEqual(bound, endpoint)
    }

    func testDisconnectNeedsAConnection() throws {
        let context = try ZeroMQContext()
        var push = try testSocket(context, .push)
        try push.connect("tcp://127.0.0.1:9")
        try push.disconnect("tcp://127.0.0.1:9")
        XCTAssertThrowsError(try push.disconnect("tcp://127.0.0.1:9"))
    }

    func testReceiveTimesOut() throws {
        let context = try ZeroMQContext()
        var pull = try testSocket(context, .pull)
        try pull.set(.receiveTimeout, .milliseconds(1))
        _ = try pull.bind(anyPort)
        XCTAssertThrowsError(try pull.receive()) { XCTAssertTrue(($0 as! ZeroMQError).isTimeout) }
    }

    func testEveryOptionIsAccepted() throws {
        let context = try ZeroMQContext(linger: .zero)
        var push = try testSocket(context, .push)
        try push.set(.sendHighWaterMark, 10)
        try push.set(.receiveHighWaterMark, 0)
        try push.set(.linger, .microseconds(1))
        try push.set(.sendTimeout, nil)
        try push.set(.receiveTimeout, nil)
        try push.set(.maxMessageSize, 1 << 40)
        try push.set(.maxMessageSize, -1)
        try push.set(.immediate, true)
        try push.set(.tcpKeepalive, true)
        try push.set(.reconnectInterval, .milliseconds(50))
        try push.set(.maxReconnectInterval, .seconds(5))
        XCTAssertThrowsError(try push.set(.sendHighWaterMark, -1)) {
            XCTAssertTrue("\($0)".hasPrefix("cannot set SNDHWM: "), "\($0)")
        }
        XCTAssertThrowsError(try push.set(.subscribe, []))
    }

    func testAPushSenderIsPushedBackAndNothingIsLost() throws {
        let context = try ZeroMQContext()
        var pull = try testSocket(context, .pull)
        try pull.set(.receiveHighWaterMark, 4)
        var push = try testSocket(context, .push)
        try push.set(.sendHighWaterMark, 4)
        // Over inproc there are no kernel buffers: the two marks together are all that may wait.
        try push.connect(try pull.bind("inproc://back-pressure"))

        var sent: UInt8 = 0
        while try push.trySend([[sent], [0]]) { sent += 1 }
        XCTAssertEqual(sent, 8)
        XCTAssertFalse(try push.trySend([[sent], [0]]))
        try push.set(.sendTimeout, .milliseconds(1))
        XCTAssertThrowsError(try push.send([[sent], [0]])) { XCTAssertTrue(($0 as! ZeroMQError).isTimeout) }

        for number in 0..<sent { XCTAssertEqual(try pull.receive(), .frames([[number], [0]])) }
        XCTAssertNil(try pull.tryReceive())
        try push.set(.sendTimeout, .seconds(60))
        try push.send([[sent], [0]])
    }

    func testTooLargeMessagesAreReadOutAndCounted() throws {
        let context = try ZeroMQContext()
        var pull = try testSocket(context, .pull)
        var push = try testSocket(context, .push)
        try push.connect(try pull.bind(anyPort))
        let limits = ReceiveLimits(maxFrames: 3, maxBytes: 1000)
        let name = Array("cam1".utf8)

        try push.send([name, [UInt8](repeating: 0, count: 100_000_000), [1]])
        try push.send([[UInt8]](repeating: name, count: 200))
        try push.send([name, [UInt8](repeating: 1, count: 996)])
        try push.send([name, [UInt8](repeating: 1, count: 997)])
        XCTAssertEqual(
            try pull.receive(limits: limits), .tooLarge(frameCount: 3, byteCount: 100_000_005, kept: [name]))
        XCTAssertEqual(
            try pull.receive(limits: limits),
            .tooLarge(frameCount: 200, byteCount: 800, kept: [name, name, name]))
        XCTAssertEqual(try pull.receive(limits: limits), .frames([name, [UInt8](repeating: 1, count: 996)]))
        XCTAssertEqual(try pull.receive(limits: limits), .tooLarge(frameCount: 2, byteCount: 1001, kept: [name]))
    }

    func testMaxMessageSizeDisconnectsThePeerOnly() throws {
        let context = try ZeroMQContext()
        var pull = try testSocket(context, .pull)
        try pull.set(.maxMessageSize, 1000)
        let endpoint = try pull.bind(anyPort)
        var hostile = try testSocket(context, .push)
        try hostile.connect(endpoint)
        try hostile.send([[UInt8](repeating: 0, count: 1001)])
        var honest = try testSocket(context, .push)
        try honest.connect(endpoint)
        try honest.send([[7]])
        XCTAssertEqual(try pull.receive(), .frames([[7]]))
    }

    func testPollerWaitsForSocketsAndWakeups() throws {
        let context = try ZeroMQContext()
        var pull = try testSocket(context, .pull)
        var push = try testSocket(context, .push)
        try push.connect(try pull.bind(anyPort))
        let wakeup = try Wakeup()
        var poller = Poller()
        let socket = poller.add(pull, for: .readable)
        let signal = poller.add(descriptor: wakeup.descriptor, for: .readable)
        XCTAssertFalse(try poller.wait(timeout: .zero))

        Thread { wakeup.signal() }.start()
        XCTAssertTrue(try poller.wait(timeout: .seconds(60)))
        XCTAssertEqual(poller.events(of: signal), .readable)
        XCTAssertEqual(poller.events(of: socket), [])
        wakeup.clear()
        XCTAssertFalse(try poller.wait(timeout: .zero))

        try push.send([[1]])
        XCTAssertTrue(try poller.wait(timeout: .seconds(60)))
        XCTAssertEqual(poller.events(of: socket), .readable)
        XCTAssertEqual(poller.events(of: signal), [])
        poller.setInterest(socket, [])
        XCTAssertFalse(try poller.wait(timeout: .zero))
        poller.setInterest(socket, .readable)
        XCTAssertTrue(try poller.wait(timeout: .zero))

        pull.close()
        XCTAssertFalse(try poller.wait(timeout: .zero))
    }

    func testAWakeupHoldsAnyNumberOfSignals() throws {
        let wakeup = try Wakeup()
        for _ in 0..<100_000 { wakeup.signal() }
        wakeup.clear()
        var poller = Poller()
        _ = poller.add(descriptor: wakeup.descriptor, for: .readable)
        XCTAssertFalse(try poller.wait(timeout: .zero))
        wakeup.signal()
        XCTAssertTrue(try poller.wait(timeout: .zero))
    }

    func testTheContextEndsWithUnsentMessages() throws {
        let start = ContinuousClock.now
        do {
            let context = try ZeroMQContext(linger: .milliseconds(100))
            var push = try context.socket(.push)
            // Nobody listens there, so that the message stays unsent.
            try push.connect("ipc://\(NSTemporaryDirectory())clusterd-nobody-\(UUID().uuidString)")
            XCTAssertTrue(try push.trySend([[1]]))
        }
        XCTAssertLessThan(ContinuousClock.now - start, .seconds(30))
    }

    func testWhatWasSentBeforeClosingArrives() throws {
        let receiver = try ZeroMQContext()
        var pull = try testSocket(receiver, .pull)
        let endpoint = try pull.bind(anyPort)
        do {
            let sender = try ZeroMQContext(linger: .seconds(60))
            var push = try testSocket(sender, .push)
            try push.connect(endpoint)
            for number in 0..<200 { try push.send([[UInt8(number)]]) }
        }
        for number in 0..<200 { XCTAssertEqual(try pull.receive(), .frames([[UInt8(number)]])) }
    }
}
