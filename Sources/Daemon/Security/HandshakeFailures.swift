// How many came to an endpoint and did not get in, and why; and how many are there who did.

import ZeroMQ

/// Counts of failed handshakes; thread-safe. Endpoints are the daemon's own, so their number is bounded.
package final class HandshakeFailures: Sendable {
    /// The counts by endpoint and reason.
    package let counts = Monitor([String: [HandshakeFailure: UInt64]]())
    /// The peers that are connected, by endpoint.
    package let peers = Monitor([String: Int]())

    /// Creates counts at zero.
    package init() {}

    /// Counts one and returns how many there are now of its kind at the endpoint.
    @discardableResult
    func count(_ failure: HandshakeFailure, at endpoint: String) -> UInt64 {
        counts.withLock { counts in
            counts[endpoint, default: [:]][failure, default: 0] += 1
            return counts[endpoint]?[failure] ?? 0
        }
    }
}
