// A socket's connections as its monitor sees them, and a publisher that does not drop.

import Glibc
import XCTest
import ZeroMQ

final class MonitorTests: XCTestCase {
    private let anyPort = "tcp://127.0.0.1:*"

    private func next(_ monitor: inout SocketMonitor) throws -> ConnectionEvent? {
        if let event = try monitor.next() { return event }
        var poller = Poller()
        _ = monitor.add(to: &poller)
        XCTAssertTrue(try poller.wait(timeout: .seconds(60)))
        return try monitor.next()
    }

    func testPeersAreCounted() throws {
        let context = try ZeroMQContext()
        var pull = try context.socket(.pull)
        var monitor = try SocketMonitor(pull, context: context)
        let endpoint = try pull.bind(anyPort)
        XCTAssertEqual(monitor.peerCount, 0)

        var push = try context.socket(.push)
        try push.connect(endpoint)
        XCTAssertEqual(try next(&monitor), .connected)
        var other = try context.socket(.push)
        try other.connect(endpoint)
        XCTAssertEqual(try next(&monitor), .connected)
        XCTAssertEqual(monitor.peerCount, 2)

        push.close()
        XCTAssertEqual(try next(&monitor), .disconnected)
        XCTAssertEqual(monitor.peerCount, 1)
        other.close()
        XCTAssertEqual(try next(&monitor), .disconnected)
        XCTAssertEqual(monitor.peerCount, 0)
        pull.close()
    }

    func testSomethingElseThanZeroMQIsNoPeer() throws {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(server) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                XCTAssertEqual(bind(server, address, size), 0)
                XCTAssertEqual(getsockname(server, address, &size), 0)
            }
        }
        XCTAssertEqual(listen(server, 1), 0)

        let context = try ZeroMQContext()
        var push = try context.socket(.push)
        var monitor = try SocketMonitor(push, context: context)
        try push.connect("tcp://127.0.0.1:\(UInt16(bigEndian: address.sin_port))")
        let connection = accept(server, nil, nil)
        let greeting = Array("SSH-2.0-OpenSSH_9.2p1 is not ZeroMQ, as everybody can see from here\r\n".utf8)
        XCTAssertEqual(write(connection, greeting, greeting.count), greeting.count)
        close(connection)
        guard case .handshakeFailed = try next(&monitor) else { return XCTFail("somebody else was taken for a peer") }
        XCTAssertEqual(monitor.peerCount, 0)
    }

    func testAClosedMonitorDoesNotHoldItsSocketUp() throws {
        let context = try ZeroMQContext()
        var pull = try context.socket(.pull)
        do { _ = try SocketMonitor(pull, context: context) }
        let endpoint = try pull.bind(anyPort)
        for number in 0..<20 {
            var push = try context.socket(.push)
            try push.connect(endpoint)
            try push.send([[UInt8(number)]])
            XCTAssertEqual(try pull.receive(), .frames([[UInt8(number)]]))
        }
    }

    func testAPublisherThatDoesNotDropRefuses() throws {
        let context = try ZeroMQContext(linger: .zero)
        var publisher = try context.socket(.xpub)
        try publisher.set(.xpubNoDrop, true)
        try publisher.set(.sendHighWaterMark, 4)
        let endpoint = try publisher.bind(anyPort)
        var subscriber = try context.socket(.sub)
        try subscriber.set(.receiveHighWaterMark, 4)
        try subscriber.set(.subscribe, [])
        try subscriber.connect(endpoint)
        XCTAssertEqual(try publisher.receive(), .frames([[1]]))

        let large = [UInt8](repeating: 1, count: 1 << 20)
        var accepted = 0
        while try publisher.trySend([large]) { accepted += 1 }
        for _ in 0..<accepted { XCTAssertEqual(try subscriber.receive(), .frames([large])) }
        XCTAssertNil(try subscriber.tryReceive())
    }
}
