// "That is enough": said by a signal handler's thread, heard by the loop that sends or receives.

import Synchronization
import ZeroMQ

/// A request to end, which can be asked for and waited for; thread-safe.
public final class StopSignal: Sendable {
    private let requested = Atomic(false)
    private let wakeup: Wakeup

    /// Creates a signal that nobody has given.
    ///
    /// - Throws: `ZeroMQError` where the process has no file descriptors left.
    public init() throws(ZeroMQError) { wakeup = try Wakeup() }

    /// Asks for the end; may be called again.
    public func request() {
        requested.store(true, ordering: .releasing)
        wakeup.signal()
    }

    /// Whether the end has been asked for.
    public var isRequested: Bool { requested.load(ordering: .acquiring) }

    /// Readable from the first `request` on.
    public var descriptor: Int32 { wakeup.descriptor }
}
