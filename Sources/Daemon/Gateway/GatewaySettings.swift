// All that the Gateway is told at its creation: its sockets and its limits.

import StreamProtocol

/// How much may wait in each source's queue.
package struct QueueLimits: Sendable, Equatable {
    /// Images.
    package var maxImages: Int
    /// Bytes of their payloads together; at least as many as one image may have.
    package var maxBytes: Int

    /// Creates limits; left out, 1024 images of together 256 MiB.
    package init(maxImages: Int = 1024, maxBytes: Int = 256 << 20) {
        self.maxImages = maxImages
        self.maxBytes = maxBytes
    }
}

/// The Gateway's sockets and limits.
package struct GatewaySettings: Sendable {
    /// The sockets that images arrive at.
    package var sources: [SourceSettings]
    /// Where the XPUB socket listens.
    package var publishEndpoint: String
    /// Where the control endpoint's ROUTER socket listens; nil for none.
    package var controlEndpoint: String?
    /// How each endpoint is encrypted, by its name in logs; those that are missing are not.
    package var security: [String: EndpointSecurity] = [:]
    /// How long whoever connects may take to say who it is.
    package var handshakeTime = Duration.seconds(10)
    /// How large an arriving message may be.
    package var messageLimits = MessageLimits()
    /// How much may wait in each source's queue.
    package var queueLimits = QueueLimits()
    /// How many messages may wait for one slow subscriber before ZeroMQ drops further ones for it.
    package var publishHighWaterMark = 100_000
    /// How many messages of one peer may wait in a source's socket, beyond what its queue holds: few, since a hostile peer
    /// may make each as large as a frame can be.
    package var receiveHighWaterMark = 32
    /// How often a heartbeat is published.
    package var heartbeatInterval = Duration.seconds(1)
    /// How long a stop may go on reading what connected senders had already sent.
    package var drainTime = Duration.seconds(5)
    /// How long nothing must come at a stop for the senders' messages to have been read: loopback and local networks
    /// take less.
    package var quietTime = Duration.milliseconds(250)
    /// How long the end may wait for subscribers to take what has been published.
    package var linger = Duration.seconds(5)

    /// Creates settings; the limits are variables with defaults.
    package init(sources: [SourceSettings], publishEndpoint: String) {
        self.sources = sources
        self.publishEndpoint = publishEndpoint
    }
}
