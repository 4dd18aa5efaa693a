// The one place in a context that libzmq asks who may connect (ZeroMQ RFC 27).
//
// A connection waits for its answer, so whoever serves this must not be busy with anything else for long. Closed, it lets
// nobody in: `Socket.useCurveServer` has libzmq insist on an answer.

import CZeroMQ

/// The handler of a context's authentication requests. It belongs to one thread at a time.
public struct ZAPHandler: ~Copyable {
    private var socket: Socket
    private static let endpoint = "inproc://zeromq.zap.01"
    private static let limits = ReceiveLimits(maxFrames: 16, maxBytes: 64 << 10)

    /// Opens the handler: requests that come are kept until they are answered.
    ///
    /// - Throws: `ZeroMQError`, such as where the context has a handler already.
    public init(context: ZeroMQContext) throws(ZeroMQError) {
        var socket = try context.socket(.rep)
        try socket.set(.linger, .zero)
        _ = try socket.bind(Self.endpoint)
        self.socket = socket
    }

    /// Lets `poller` wait for requests.
    public func add(to poller: inout Poller) -> Poller.Token { poller.add(socket, for: .readable) }

    /// Answers the next request, if one is there; what is no request is denied.
    ///
    /// - Parameter decide: says whether a peer may connect.
    /// - Returns: whether a request was there.
    /// - Throws: `ZeroMQError`.
    public mutating func answer(
        _ decide: (Result<ZAPRequest, ZAPRequest.Malformed>) -> ZAPReply
    ) throws(ZeroMQError) -> Bool {
        guard let message = try socket.tryReceive(limits: Self.limits) else { return false }
        let frames: [[UInt8]]
        let request: Result<ZAPRequest, ZAPRequest.Malformed>
        switch message {
        case .frames(let all):
            frames = all
            request = Result { () throws(ZAPRequest.Malformed) in try ZAPRequest(frames: all) }
        case .tooLarge(_, _, let kept):
            frames = kept
            request = .failure(ZAPRequest.Malformed(reason: "larger than any request"))
        }
        let id = frames.count > 1 ? frames[1] : []
        var reply = decide(request)
        if case .failure = request { reply = .denied }
        _ = try socket.trySend(reply.frames(to: id))
        return true
    }
}
