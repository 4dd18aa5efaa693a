// How learning goes, for those who ask while it does.

import ContrastiveClustering
import Synchronization

/// What the trainer has last seen; thread-safe.
package final class LearningStatus: Sendable {
    /// Learning at a moment.
    package struct State: Sendable {
        /// The model that training has come to.
        package var version: ModelVersion
        /// The last step's losses, nil before the first step of this run.
        package var losses: Losses?
        /// Seconds that the last step took.
        package var stepSeconds: Double?
        /// Steps that nothing was learnt from, their losses or gradients not being finite.
        package var skippedSteps: UInt64 = 0
        /// How often the last good checkpoint was taken back.
        package var restorations: UInt64 = 0
    }

    private let state: Mutex<State>

    /// Starts with the model that training begins with.
    package init(_ version: ModelVersion) { state = Mutex(State(version: version)) }

    /// Learning at this moment.
    package var current: State { state.withLock { $0 } }

    func update(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }
}
