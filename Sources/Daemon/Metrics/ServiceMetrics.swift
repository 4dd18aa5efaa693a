// All metrics of the daemon, put together. What is counted anyway is read from a `StatusReport` when somebody asks; only
// durations and a few results are counted for this alone.

import ContrastiveClustering
import Tensors
import Telemetry

/// The metrics of a running service.
package final class ServiceMetrics: Sendable {
    static let build = Metric.gauge(
        "clusterd_build_info", "1, with the program's version and what it computes with",
        labels: ["version", "instructions", "blas"])
    static let model = Metric.gauge(
        "clusterd_model_info", "1, with the model's shape", labels: ["architecture", "image_size", "clusters"])
    static let ready = Metric.gauge(
        "clusterd_ready", "1 while images are taken and answered, 0 before, while the daemon stops, and without a model"
    )
    static let problem = Metric.gauge(
        "clusterd_problem", "1 for each problem that status names, 0 for those that it might", labels: ["problem"])

    static let decode = Metric.histogram("clusterd_decode_duration_seconds", "Time that decoding an image took")
    static let batch = Metric.histogram(
        "clusterd_assign_batch_duration_seconds", "Time that assigning a batch of images took")
    static let batchImages = Metric.histogram("clusterd_assign_batch_images", "Images of a batch that was assigned")
    static let receiveToPublish = Metric.histogram(
        "clusterd_receive_to_publish_seconds", "Time from an image's arrival until its assignment was published")
    static let step = Metric.histogram("clusterd_train_step_duration_seconds", "Time that a training step took")

    /// The problems that `status` may name.
    private static let problems = ["checkpoint-failed", "collapsed", "journal-failed"]

    /// All metrics with their values.
    package let registry: MetricRegistry

    /// Reads from the parts of a service.
    init(
        counters: ServiceCounters, readiness: Readiness, gateway: Gateway, pipeline: Pipeline,
        configuration: Configuration,
        report: @escaping @Sendable () -> StatusReport
    ) {
        registry = MetricRegistry()
        let names = LabelValues(
            limit: StreamMetrics.maximumSenders, known: configuration.sources.map(\.name) + [StreamStatistics.others])
        let scores = AgreementScores(pipeline.agreement)
        let (limits, timings, model) = (gateway.queues.limits, pipeline.counters.timings, configuration.model)
        let computing = [clusterdVersion, InstructionSet.best.rawValue, OpenBLAS.coreName]
        let shape = [model.architecture.rawValue, "\(model.imageSize)", "\(model.clusters)"]
        registry.add(
            [Self.build, Self.model, Self.ready, Self.problem] + StreamMetrics.all + LearningMetrics.all
                + KeepingMetrics.reported
        ) { samples in
            let report = report()
            samples.add(Self.build, 1, labels: computing)
            samples.add(Self.model, 1, labels: shape)
            samples.add(Self.ready, readiness.isReady)
            for problem in Self.problems { samples.add(Self.problem, false, labels: [problem]) }
            for problem in report.problems { samples.add(Self.problem, true, labels: [problem]) }
            StreamMetrics.read(
                report, limits: limits, peers: gateway.handshakeFailures.peers.read { $0 }, names: names,
                into: &samples)
            LearningMetrics.read(
                report, counters: pipeline.counters, bufferCapacity: pipeline.trainingCapacity, scores: scores.current,
                into: &samples)
            KeepingMetrics.read(report, into: &samples)
        }
        registry.add(Self.decode, timings.decode)
        registry.add(Self.batch, timings.batch)
        registry.add(Self.batchImages, timings.batchImages)
        registry.add(Self.receiveToPublish, timings.receiveToPublish)
        registry.add(Self.step, timings.step)
        registry.add(KeepingMetrics.checkpoints, counters.checkpoints)
        registry.add(KeepingMetrics.checkpointDuration, counters.checkpointDuration)
        registry.add(KeepingMetrics.reloads, counters.reloads)
        registry.add(KeepingMetrics.requests, counters.requests)
        registry.add(KeepingMetrics.journalFailures, counters.journalFailures)
        registry.add(ProcessMetrics.all) { ProcessMetrics.read(into: &$0) }
    }
}
