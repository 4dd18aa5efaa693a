// The daemon put together: sockets, pipeline, learners and checkpoints, made in that order's reverse and ended in it.
//
// It is told what to do once, by a configuration that has been checked, and knows neither flags nor signals.

import Checkpoints
import ContrastiveClustering
import Journal
import Logging
import StreamProtocol
import Telemetry

/// The running daemon, be it one that trains or a replica. It runs once: `start`, then `stop`.
public final class Service: Sendable {
    /// How often it speaks unasked.
    package struct Pace: Sendable {
        /// Between two heartbeats.
        package var heartbeat = Duration.seconds(1)
        /// Seconds after which the newest checkpoint is announced again, with a heartbeat.
        package var announcement = 30.0

        /// Creates the pace that the public interface promises.
        package init() {}
    }

    /// What only one of the modes has.
    private enum Role: Sendable {
        case trainer(ChurnMeter)
        case replica(ReplicaFollower)
    }

    private let configuration: Monitor<Configuration>
    private let store: CheckpointStore
    private let logger: Logger
    private let gateway: Gateway
    private let pipeline: Pipeline
    private let output: StreamOutput
    private let journal: Journal
    private let journalKeeper: JournalKeeper
    private let control: ControlDesk
    private let role: Role
    private let counters: ServiceCounters
    private let metrics: ServiceMetrics
    private let page: PageService?

    /// Opens the checkpoint folder and the journal, builds the learners and resumes the newest checkpoint; nothing runs
    /// yet.
    ///
    /// - Parameter makeLearner: builds a learner that has been trained for no step.
    /// - Throws: `CheckpointError` where the folder cannot be used or holds another model's checkpoints, `JournalError`
    ///   where the journal's cannot be used, `KeyFileError` where a key's file cannot be, and what `makeLearner` throws.
    package init(
        configuration: Configuration, logger: Logger, pace: Pace = Pace(),
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
        self.counters = counters
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
        journalKeeper = JournalKeeper(journal)
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
            // Images wait for a model that has been found good.
            if resumed == nil { gateway.queues.hold() }
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
            counters: counters, gateway: gateway, pipeline: pipeline, configuration: configuration, report: report)
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
                report: report, agreement: agreement, desk: desk, marks: [gateway.mark] + pipeline.marks,
                isHeld: { gateway.queues.isHeld }, about: configuration.about),
            metrics: { metrics.registry.text() })
    }

    // MARK: Running

    /// Opens the sockets and starts the workers; a second call only returns the endpoints.
    ///
    /// - Returns: where the sockets listen or connect, with the ports that the system chose.
    /// - Throws: `ZeroMQError` with the endpoint, such as for a port in use; nothing runs then.
    @discardableResult
    package func start() throws -> Gateway.Endpoints {
        let pageAddress = try page?.start()
        let endpoints: Gateway.Endpoints
        do {
            endpoints = try gateway.start(
                heartbeat: { [output, numbering = pipeline.numbering] in
                    output.announceCheckpoint()
                    let numbering = numbering.read { $0 }
                    return HeartbeatMessage(
                        epoch: numbering.epoch, sequence: numbering.last, published: wallClockNanoseconds()
                    ).frames
                }, onRequest: control.take)
        } catch {
            page?.stop()
            throw error
        }
        control.start()
        journalKeeper.start()
        pipeline.start()
        if case .replica(let follower) = role { follower.start() }
        for (source, endpoint) in zip(configuration.read(\.sources), endpoints.sources) {
            logger.info(
                source.role == .bind ? "listening for images" : "connecting for images",
                metadata: [
                    "source": "\(source.name)", "endpoint": "\(endpoint)", "pattern": "\(source.pattern)",
                    "dialect": "\(source.dialect)", "overload": "\(source.overload.rawValue)",
                ])
        }
        logger.info(
            "publishing", metadata: ["endpoint": "\(endpoints.publisher)", "epoch": "\(journal.numbering.epoch)"])
        if let endpoint = endpoints.control { logger.info("answering control", metadata: ["endpoint": "\(endpoint)"]) }
        if let pageAddress { logger.info("serving the page", metadata: ["address": "http://\(pageAddress)/"]) }
        return endpoints
    }

    /// Goes by another configuration from now on, as far as that can change while the daemon runs.
    ///
    /// - Returns: what has changed, and what else is different but needs a restart.
    @discardableResult
    package func reconfigure(_ wanted: Configuration) -> Reconfiguration {
        let (change, now) = configuration.withLock { current in
            let change = Reconfiguration(from: current, to: wanted)
            change.apply(wanted, to: &current)
            return (change, current)
        }
        output.setSendsProbabilities(now.publish.probabilities)
        store.setKeep(now.checkpoint.keep)
        pipeline.adjust(Pipeline.Settings(now), learningRate: now.train.learningRate)
        do {
            gateway.setAllowedClients(try GatewaySettings(now).allowedClients)
        } catch {
            logger.error("the lists of clients stay as they were: \(error)")
        }
        return change
    }

    /// Ends in order: no more input, all that was admitted assigned and trained on, a checkpoint, and what was published
    /// taken by the subscribers. Harmless at any time.
    ///
    /// - Returns: what the run came to.
    @discardableResult
    public func stop() -> ServiceSummary {
        setReady(false)
        switch role {
        case .trainer(let churn): churn.end()
        case .replica(let follower): follower.stop()
        }
        gateway.stopInput()
        gateway.queues.close()
        if gateway.queues.isHeld {
            for image in gateway.queues.removeAll() {
                output.reject(source: image.source, id: image.id, reason: "no-model")
            }
        }
        pipeline.drain()
        control.stop()
        gateway.finish()
        journalKeeper.stop()
        journal.close()
        page?.stop()
        logger.agreement("since the start", pipeline.agreement.total)
        return summary
    }

    /// What the run has come to so far.
    public var summary: ServiceSummary {
        ServiceSummary(statistics: gateway.statistics, counters: pipeline.counters)
    }

    /// Whether the last checkpoint that was due could not be written.
    public var lastCheckpointFailed: Bool { pipeline.lastCheckpointFailed }

    /// Whether assignments have been published that could not be journaled yet.
    public var journalFailed: Bool { journal.status.failure != nil }

    /// Waits until the model answers as fast as it will, and says that it is ready then; returns only once started.
    package func waitUntilWarm() {
        pipeline.waitUntilWarm()
        setReady(true)
    }

    private func setReady(_ isReady: Bool) {
        counters.setReady(isReady)
        page?.setReady(isReady)
    }

    /// What a service manager is to know of this one.
    package var subject: ServiceManager.Subject {
        let workers = [gateway.mark] + pipeline.marks
        return ServiceManager.Subject(
            workers: workers, finishers: workers + (pipeline.writingMark.map { [$0] } ?? []),
            status: { [pipeline, journal] in
                pipeline.statusLine + (journal.status.failure == nil ? "" : ", the journal cannot be written")
            })
    }
    /// All metrics in Prometheus's text format, whose media type is `MetricRegistry.contentType`; from any thread, in
    /// a few milliseconds at most.
    public func metricsText() -> String { metrics.registry.text() }

    /// The metrics that there are.
    package var knownMetrics: [Metric] { metrics.registry.metrics }

    // MARK: Making

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
