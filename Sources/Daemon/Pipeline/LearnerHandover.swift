// How a learner gets from the thread that makes it to the one thread that uses it.

import ContrastiveClustering

/// What a learner is made for; each has its own weights and its own share of the machine's threads.
public enum LearnerRole: String, Sendable, CaseIterable {
    /// Takes training steps.
    case training
    /// Assigns images to clusters with weights that it is handed.
    case assigning
    /// Takes newer weights in while the other one assigns; the two then exchange their parts.
    case spare
    /// Assigns remembered images now and then, and gives way to everything else.
    case probing
}

/// A learner that is passed on, never shared: whoever makes this value does not touch the learner again.
package struct LearnerHandover: @unchecked Sendable {
    // Unchecked: the learner is used by the worker that the handover is given to and, before that starts, by its maker.
    package let learner: any Learner

    /// Wraps `learner`.
    package init(_ learner: any Learner) { self.learner = learner }
}
