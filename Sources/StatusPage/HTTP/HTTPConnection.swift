// One client's connection: what it has sent so far, what it has yet to take, and until when it may be slow.

import Glibc

/// The state of a connection; it belongs to the server's thread.
struct HTTPConnection {
    enum Phase: Equatable {
        /// A request is to come.
        case reading
        /// A request is being answered elsewhere.
        case waiting(keepsAlive: Bool, omitsBody: Bool)
        /// Events are sent for as long as the client stays.
        case streaming
        /// It ends once the client has taken what there is.
        case ending
    }

    let id: UInt64
    let file: Int32
    var phase = Phase.reading
    private(set) var input: [UInt8] = []
    /// What the client has yet to take, from `taken` on.
    private var output: [UInt8] = []
    private var taken = 0
    /// When the request under way began to come, and when the client last took something.
    var since: Milliseconds
    private(set) var lastTaken: Milliseconds

    init(id: UInt64, file: Int32, now: Milliseconds) {
        self.id = id
        self.file = file
        since = now
        lastTaken = now
    }

    /// Bytes that the client has yet to take.
    var pending: Int { output.count - taken }

    /// Whether nothing of a request has come.
    var isIdle: Bool { phase == .reading && input.isEmpty && pending == 0 }

    mutating func drop(_ count: Int) { input.removeFirst(count) }

    /// Takes what has come, at most `limit` bytes in all; false where the client has gone.
    mutating func receive(limit: Int, now: Milliseconds) -> Bool {
        let room = min(limit - input.count, 16 << 10)
        guard room > 0 else { return true }
        var got = 0
        let piece = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            repeat { got = recv(file, buffer.baseAddress, room, 0) } while got < 0 && errno == EINTR
            count = max(0, got)
        }
        if got < 0 { return errno == EAGAIN || errno == EWOULDBLOCK }
        if input.isEmpty { since = now }
        input += piece
        return got > 0
    }

    mutating func send(_ bytes: [UInt8], now: Milliseconds) {
        if pending == 0 { lastTaken = now }
        if taken == output.count {
            output = bytes
            taken = 0
        } else {
            output += bytes
        }
    }

    /// Sends its last answer.
    mutating func end(with bytes: [UInt8], now: Milliseconds) {
        phase = .ending
        send(bytes, now: now)
    }

    /// Whether it has come to its end, or its client takes too long.
    func isOver(now: Milliseconds, _ limits: HTTPServerLimits) -> Bool {
        if pending > limits.pendingBytes { return true }
        if pending > 0 { return now - lastTaken > Int64(limits.stallMilliseconds) }
        switch phase {
        case .reading:
            return now - since > Int64(input.isEmpty ? limits.idleMilliseconds : limits.requestMilliseconds)
        case .ending: return true
        case .waiting, .streaming: return false
        }
    }

    /// Gives the client what it takes; false where it has gone.
    mutating func flush(now: Milliseconds) -> Bool {
        while taken < output.count {
            let sent = output.withUnsafeBytes { bytes in
                Glibc.send(file, bytes.baseAddress! + taken, output.count - taken, Int32(MSG_NOSIGNAL))
            }
            if sent < 0 {
                if errno == EINTR { continue }
                return errno == EAGAIN || errno == EWOULDBLOCK
            }
            taken += sent
            lastTaken = now
        }
        output.removeAll(keepingCapacity: false)
        taken = 0
        return true
    }
}

/// Milliseconds on the monotonic clock; `clock_gettime(CLOCK_MONOTONIC)`.
typealias Milliseconds = Int64

func monotonicMilliseconds() -> Milliseconds {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}
