// What other threads want published, on its way to the thread that owns the publisher.
//
// Not bounded in itself: an assignment must not be lost inside the daemon, and there are never more of them than images
// admitted. The Gateway empties it without waiting for any subscriber.

/// Messages to publish, in order; thread-safe.
package final class Outbox: Sendable {
    private let messages = Monitor<[[[UInt8]]]>([])
    private let onFirst: @Sendable () -> Void

    /// Creates an empty outbox; `onFirst` is called when a message is put in it while it is empty.
    package init(onFirst: @escaping @Sendable () -> Void = {}) { self.onFirst = onFirst }

    /// Adds a message, given by its frames, after those that are there.
    package func append(_ message: [[UInt8]]) { append(contentsOf: [message]) }

    /// Adds messages, each given by its frames, after those that are there.
    package func append(contentsOf added: [[[UInt8]]]) {
        let wasEmpty = messages.withLock { messages in
            defer { messages += added }
            return messages.isEmpty
        }
        if wasEmpty { onFirst() }
    }

    /// Takes everything out, oldest first.
    package func takeAll() -> [[[UInt8]]] {
        messages.withLock { messages in
            defer { messages = [] }
            return messages
        }
    }
}
