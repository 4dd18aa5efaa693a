// `pause` and `resume`: training stops and goes on, assigning does not notice.

import StreamProtocol

extension ControlOperation {
    /// Stops training after the step under way.
    static func pause(_ pipeline: Pipeline) -> Self { setting(pipeline, paused: true, name: "pause") }

    /// Lets training go on.
    static func resume(_ pipeline: Pipeline) -> Self { setting(pipeline, paused: false, name: "resume") }

    private static func setting(_ pipeline: Pipeline, paused: Bool, name: String) -> Self {
        Self(name, lane: .state) { _ in
            if paused { pipeline.pauseTraining() } else { pipeline.resumeTraining() }
            return ControlReply(["paused": .bool(pipeline.isTrainingPaused)])
        }
    }
}
