// One thing that can be asked of the daemon: an entry of the control endpoint's routing table.
//
// Each operation is made by a function in a file of its own in Operations/, and listed where the service is put together.

import StreamProtocol

/// An operation of the control endpoint.
package struct ControlOperation: Sendable {
    /// The thread that an operation runs on: what takes long does not hold up what does not.
    package enum Lane: String, Sendable, CaseIterable {
        /// Answers out of memory, at once.
        case state
        /// Reads files.
        case reading
        /// Changes the model or writes it; one at a time, and it may wait for a training step.
        case model
    }

    /// The request's `op`.
    package let name: String
    /// Where it runs.
    package let lane: Lane
    /// Does it, on its lane's thread.
    package let run: @Sendable (ControlRequest) throws(ControlFailure) -> ControlReply

    /// Creates an operation.
    package init(
        _ name: String, lane: Lane,
        run: @escaping @Sendable (ControlRequest) throws(ControlFailure) -> ControlReply
    ) {
        self.name = name
        self.lane = lane
        self.run = run
    }
}
