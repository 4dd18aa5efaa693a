// Whether the daemon is ready, for all who ask: a supervisor, Prometheus, the page.

import Synchronization

/// Said by whoever starts and stops the daemon; thread-safe.
package final class Readiness: Sendable {
    private let isServing = Atomic(false)
    private let isHeld: @Sendable () -> Bool

    /// Creates one that says no.
    ///
    /// - Parameter isHeld: whether images are held back because there is no model to assign them with.
    package init(isHeld: @escaping @Sendable () -> Bool) { self.isHeld = isHeld }

    /// Whether images are taken and answered: sockets are bound, a model is there and warm, and the end has not begun.
    package var isReady: Bool { isServing.load(ordering: .acquiring) && !isHeld() }

    /// Says whether the daemon serves.
    func set(_ isServing: Bool) { self.isServing.store(isServing, ordering: .releasing) }
}
