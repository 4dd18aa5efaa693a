// What went wrong in a call of libzmq, in words that an operator can act on, and the one place that looks at errno.
//
// EINTR never leaves this file: a signal only makes a call start again.

import CZeroMQ
import Glibc

/// A failed call of libzmq: what was tried, on what, why it failed, and what may help.
public struct ZeroMQError: Error, Equatable, CustomStringConvertible {
    /// What was tried, such as `bind`.
    public let operation: String
    /// The endpoint it was tried on, where there is one.
    public let endpoint: String?
    /// The error number, as `zmq_errno` gave it.
    public let code: Int32
    /// Why it failed.
    public let reason: String
    /// What may help, where anything is known to.
    public let hint: String?

    /// Creates an error with the reason and hint that belong to `code`.
    public init(operation: String, endpoint: String? = nil, code: Int32) {
        self.operation = operation
        self.endpoint = endpoint
        self.code = code
        self.reason = Self.reason(code)
        self.hint = Self.hint(code, operation: operation, endpoint: endpoint)
    }

    /// One line: operation, endpoint, reason and hint.
    public var description: String {
        let subject = endpoint.map { " \($0)" } ?? ""
        let advice = hint.map { " (\($0))" } ?? ""
        return "cannot \(operation)\(subject): \(reason)\(advice)"
    }

    /// Whether a blocking call gave up because its time limit passed.
    public var isTimeout: Bool { code == EAGAIN }

    private static func reason(_ code: Int32) -> String {
        switch code {
        case EADDRINUSE: "port already in use"
        case EAGAIN: "timed out"
        default: String(cString: zmq_strerror(code))
        }
    }

    private static func hint(_ code: Int32, operation: String, endpoint: String?) -> String? {
        switch code {
        case EADDRINUSE:
            "another program, perhaps a clusterd already running, listens on \(endpoint ?? "it")"
        case EADDRNOTAVAIL, ENODEV: "no interface of this machine has that address"
        case EACCES: "a port below 1024 and a socket file in a foreign folder need permission"
        case EINVAL where endpoint != nil: "an endpoint is written tcp://ADDRESS:PORT or ipc://PATH"
        case EPROTONOSUPPORT: "use tcp:// or ipc://"
        case EMFILE: "raise the limit of open files"
        case ENOENT where operation == "unbind" || operation == "disconnect": "the socket does not use this endpoint"
        default: nil
        }
    }
}

/// Calls `body`, a function of libzmq that returns −1 and sets errno on failure, again for as long as signals interrupt it.
///
/// - Returns: what `body` returned, or nil where it failed with EAGAIN and `wouldBlockIsNil` is set.
/// - Throws: `ZeroMQError` for every other failure.
func call(
    _ operation: String, endpoint: String? = nil, wouldBlockIsNil: Bool = false, _ body: () -> Int32
) throws(ZeroMQError) -> Int32? {
    while true {
        let result = body()
        if result >= 0 { return result }
        let code = zmq_errno()
        if code == EINTR { continue }
        if code == EAGAIN, wouldBlockIsNil { return nil }
        throw ZeroMQError(operation: operation, endpoint: endpoint, code: code)
    }
}
