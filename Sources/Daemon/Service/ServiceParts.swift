// What the daemon is put together from: sockets, pipeline, learners and checkpoints, made in the order in which they need each
// other. Nothing of it runs yet.

import Checkpoints
import ContrastiveClustering
import Journal
import Logging
import StreamProtocol
import Telemetry

/// The parts of a `Service`.
struct ServiceParts: Sendable {
    /// What only one of the modes has.
    enum Role: Sendable {
        case trainer(ChurnMeter)
        case replica(ReplicaFollower)
    }

    let configuration: Monitor<Configuration>
    let store: CheckpointStore
    let logger: Logger
    let gateway: Gateway
    let pipeline: Pipeline
    let output: StreamOutput
    let journal: Journal
    let control: ControlDesk
    let role: Role
    let readiness: Readiness
    let metrics: ServiceMetrics
    /// What the threads are at that images depend on.
    let workers: [WorkMark]
    let page: PageService?

    /// Opens the checkpoint folder and the journal, builds the learners and resumes the newest checkpoint.
    init(
        configuration: Configuration, logger: Logger, pace: Service.Pace,
        makeLearner: @escaping @Sendable (LearnerRole) throws -> LearnerHandover
    ) throws {
        let current = Monitor(configuration)
        self.configuration = current
        self.logger = logger
        let store = try CheckpointStore(
            directory: configuration.checkpoint.directory, keep: configuration.checkpoint.keep,
            onWarning: { logger.warning("\($0)") })
        self.store = store
        let model = CheckpointModel(configuration.model)
        let resumed = try CheckpointKeeper.resume(from: store, model: model, logger: logger)
        let counters = ServiceCounters()
        let journal = try Journal(settings: JournalSettings(configuration.journal)) { event in
            counters.count(event)
            logger.journal(event)
        }

        var gatewaySettings = try GatewaySettings(configuration)
        gatewaySettings.heartbeatInterval = pace.heartbeat
        let gateway = try Gateway(settings: gatewaySettings, logger: logger)
        let ledger = CheckpointLedger(resumed: resumed, interval: pace.announcement)
        let output = StreamOutput(
            outbox: gateway.outbox, journal: journal, statistics: gateway.statistics, ledger: ledger,
            sendsProbabilities: configuration.publish.probabilities, logger: logger)
        let agreement = LabelAgreement()
        let probe = ProbeSet(side: configuration.model.imageSize)
        let (learners, training) = try Self.learners(
            for: configuration.mode, resuming: resumed, makeLearner: makeLearner)
        let churn = ChurnMeter(probe: probe, logger: logger, makeLearner: makeLearner)
        let keeper = CheckpointKeeper(
            store: store, model: model, settings: { current.read(\.json) }, ledger: ledger, output: output,
            agreement: agreement, churn: churn, counters: counters, logger: logger)
        let pageAddress = HTTPAddress(configuration.httpListen)
        let sampler = pageAddress.map { _ in PictureSampler() }
        let decoding = PictureDecoding(side: configuration.model.imageSize)
        let pipeline = Pipeline(
            settings: Pipeline.Settings(configuration), learners: learners,
            training: training.map { Pipeline.Training(learner: $0, write: keeper.write, lastGood: keeper.lastGood) },
            intake: gateway.queues, sources: configuration.sources.count,
            decode: { (image) throws(UnreadableImage) in
                let picture = try decoding.picture(of: image)
                probe.offer(picture)
                return picture
            }, output: output,
            numbering: journal.numbering, agreement: agreement,
            logger: logger, observer: sampler)
        (self.gateway, self.output, self.journal, self.pipeline) = (gateway, output, journal, pipeline)
        let workers = [gateway.mark] + pipeline.marks
        self.workers = workers
        // Images wait for a model that has been found good.
        if configuration.mode == .replica, resumed == nil { gateway.queues.hold() }
        let readiness = Readiness(isHeld: { gateway.queues.isHeld })
        self.readiness = readiness
        let weights = learners.assigning.learner.snapshot()
        let trial = ModelTrial(model: model, weights: weights, probe: probe, makeLearner: makeLearner)
        let operations: [ControlOperation]
        var status: Monitor<ReplicaStatus>?
        if let trainer = pipeline.trainer {
            role = .trainer(churn)
            let models = ModelSwitch(
                store: store, trial: trial, trainer: trainer, serving: pipeline.serving, learning: pipeline.learning,
                ledger: ledger, counters: counters, logger: logger)
            operations = [
                .save(trainer, ledger: ledger), .pause(pipeline), .resume(pipeline), .reload(models),
                .rollback(models),
            ]
        } else {
            let models = ReplicaModels(
                store: store, trial: trial, pipeline: pipeline, ledger: ledger,
                resumed: resumed.map { ($0, weights) }, logger: logger)
            let follower = try ReplicaFollower(
                ReplicaFollower.Settings(configuration), models: models, logger: logger,
                onModel: { gateway.queues.release() })
            role = .replica(follower)
            status = follower.status
            operations = ControlOperation.ofTrainer(at: configuration.replica.control)
        }
        let started = MonotonicTime.now
        let report: @Sendable () -> StatusReport = { [status] in
            StatusReport(
                gateway: gateway, pipeline: pipeline, ledger: ledger, journal: journal,
                replica: status?.read { $0 }, sources: configuration.sources, started: started)
        }
        let metrics = ServiceMetrics(
            counters: counters, readiness: readiness, gateway: gateway, pipeline: pipeline,
            configuration: configuration,
            report: report)
        self.metrics = metrics
        let desk = ControlDesk(
            operations: (operations + [
                .status(report), .checkpoints(in: store), .fetch(from: store), .replay(from: journal),
            ]).map(counters.counting),
            reply: gateway.answers.append)
        control = desk
        guard let pageAddress, let sampler else {
            page = nil
            return
        }
        page = try PageService(
            address: pageAddress, tokenFile: configuration.httpTokenFile, sampler: sampler,
            surroundings: .init(
                report: report, agreement: agreement, desk: desk, readiness: readiness,
                lookout: Lookout(workers, interval: Lookout.interval * pace.patience, patience: pace.patience),
                about: configuration.about),
            metrics: { metrics.registry.text() })
    }

    private static func learners(
        for mode: Configuration.Mode, resuming checkpoint: Checkpoint?,
        makeLearner: (LearnerRole) throws -> LearnerHandover
    ) throws -> (assigning: Pipeline.Learners, training: LearnerHandover?) {
        let training = mode == .train ? try makeLearner(.training) : nil
        let assigning = try makeLearner(.assigning)
        if let checkpoint { try (training ?? assigning).learner.importState(checkpoint.state) }
        if let training { assigning.learner.adopt(training.learner.snapshot()) }
        let version = ModelVersion(step: checkpoint?.state.step ?? 0, labelEpoch: checkpoint?.labelEpoch ?? 0)
        return (
            Pipeline.Learners(assigning: assigning, spare: try makeLearner(.spare), version: version), training
        )
    }
}
