// The learners of a daemon that computes on its own cores.

import ContrastiveClustering

extension LearnerHandover {
    /// Builds a learner, trained for no step, with threads of its own.
    ///
    /// Each has as many threads as the engine may use: the assigner's are idle most of the time, and where they compete for a
    /// core the trainer's give way.
    package static func cpu(_ role: LearnerRole, configuration: Configuration) -> LearnerHandover {
        let (threads, model, training) = (configuration.engineThreads, configuration.model, configuration.train)
        return switch role {
        case .training:
            LearnerHandover(
                CPULearner(
                    model: model, training: training, role: .training, threads: threads, niceness: Trainer.niceness))
        case .probing:
            LearnerHandover(
                CPULearner(
                    model: model, training: training, role: .assigning, threads: threads, niceness: Trainer.niceness))
        case .assigning, .spare:
            LearnerHandover(CPULearner(model: model, training: training, role: .assigning, threads: threads))
        }
    }
}
