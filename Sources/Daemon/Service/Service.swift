// The daemon put together: sockets, pipeline, learners and checkpoints, made in that order's reverse and ended in it.
//
// It is told what to do once, by a configuration that has been checked, and knows neither flags nor signals.

import Checkpoints
import ContrastiveClustering
import Journal
import Logging
import StreamProtocol

/// The running daemon. It runs once: `start`, then `stop`.
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

    private let configuration: Monitor<Configuration>
    private let store: CheckpointStore
    private let logger: Logger
    private let gateway: Gateway
    private let pipeline: Pipeline
    private let output: StreamOutput
    private let journal: Journal
    private let journalKeeper: JournalKeeper
    private let control: ControlDesk
    private let churn: ChurnMeter
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
        let learners = try Self.learners(resuming: resumed, makeLearner: makeLearner)
        let journal = try Journal(settings: JournalSettings(configuration.journal)) { logger.journal($0) }

        var gatewaySettings = try GatewaySettings(configuration)
        gatewaySettings.heartbeatInterval = pace.heartbeat
        let gateway = try Gateway(settings: gatewaySettings, logger: logger)
        let ledger = CheckpointLedger(resumed: resumed?.record, interval: pace.announcement)
        let output = StreamOutput(
            outbox: gateway.outbox, journal: journal, statistics: gateway.statistics, ledger: ledger,
            sendsProbabilities: configuration.publish.probabilities, logger: logger)
        let agreement = LabelAgreement()
        let probe = ProbeSet(side: configuration.model.imageSize)
        churn = ChurnMeter(probe: probe, logger: logger, makeLearner: makeLearner)
        let keeper = CheckpointKeeper(
            store: store, model: model, settings: { current.read(\.json) }, ledger: ledger, output: output,
            agreement: agreement, churn: churn, logger: logger)
        let sampler = HTTPAddress(configuration.httpListen).map { _ in PictureSampler() }
        let decoding = PictureDecoding(side: configuration.model.imageSize)
        pipeline = Pipeline(
            settings: Pipeline.Settings(configuration), learners: learners, intake: gateway.queues,
            sources: configuration.sources.count,
            decode: { (image) throws(UnreadableImage) in
                let picture = try decoding.picture(of: image)
                probe.offer(picture)
                return picture
            }, output: output,
            numbering: AssignmentNumbering(epoch: journal.epoch, last: journal.lastAtOpening), agreement: agreement,
            write: keeper.write, lastGood: keeper.lastGood, logger: logger, observer: sampler)
        self.gateway = gateway
        self.output = output
        self.journal = journal
        journalKeeper = JournalKeeper(journal)
        let (pipeline, started) = (pipeline, MonotonicTime.now)
        let models = ModelSwitch(
            store: store, model: model, pipeline: pipeline, probe: probe, logger: logger, makeLearner: makeLearner)
        let report: @Sendable () -> StatusReport = {
            StatusReport(
                gateway: gateway, pipeline: pipeline, ledger: ledger, journal: journal, sources: configuration.sources,
                started: started)
        }
        let desk = ControlDesk(
            operations: [
                .status(report), .checkpoints(in: store), .fetch(from: store), .save(pipeline.trainer, ledger: ledger),
                .pause(pipeline), .resume(pipeline), .reload(models), .rollback(models), .replay(from: journal),
            ],
            reply: gateway.answers.append)
        control = desk
        page = try HTTPAddress(configuration.httpListen).flatMap { address in
            try sampler.map { sampler in
                try PageService(
                    address: address, tokenFile: configuration.httpTokenFile, sampler: sampler,
                    surroundings: .init(
                        report: report, agreement: agreement, desk: desk, illness: { nil }, about: configuration.about))
            }
        }
    }

    // MARK: Running

    /// Opens the sockets and starts the workers; a second call only returns the endpoints.
    ///
    /// - Returns: where the sockets listen or connect, with the ports that the system chose.
    /// - Throws: `ZeroMQError` with the endpoint, such as for a port in use; nothing runs then.
    @discardableResult
    package func start() throws -> Gateway.Endpoints {
        let numbering = pipeline.numbering
        let pageAddress = try page?.start()
        let endpoints: Gateway.Endpoints
        do {
            endpoints = try gateway.start(
                heartbeat: { [output] in
                    output.announceCheckpoint()
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
        for (source, endpoint) in zip(configuration.read(\.sources), endpoints.sources) {
            logger.info(
                source.role == .bind ? "listening for images" : "connecting for images",
                metadata: [
                    "source": "\(source.name)", "endpoint": "\(endpoint)", "pattern": "\(source.pattern)",
                    "dialect": "\(source.dialect)", "overload": "\(source.overload.rawValue)",
                ])
        }
        logger.info("publishing", metadata: ["endpoint": "\(endpoints.publisher)", "epoch": "\(numbering.epoch)"])
        if let endpoint = endpoints.control { logger.info("answering control", metadata: ["endpoint": "\(endpoint)"]) }
        if let pageAddress { logger.info("serving the page", metadata: ["address": "http://\(pageAddress)/"]) }
        page?.setReady(true)
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
        page?.setReady(false)
        churn.end()
        gateway.stopInput()
        gateway.queues.close()
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

    // MARK: Making

    private static func learners(
        resuming checkpoint: Checkpoint?, makeLearner: (LearnerRole) throws -> LearnerHandover
    ) throws -> Pipeline.Learners {
        let training = try makeLearner(.training)
        let assigning = try makeLearner(.assigning)
        if let checkpoint { try training.learner.importState(checkpoint.state) }
        assigning.learner.adopt(training.learner.snapshot())
        return Pipeline.Learners(
            training: training, assigning: assigning,
            version: ModelVersion(step: checkpoint?.state.step ?? 0, labelEpoch: checkpoint?.labelEpoch ?? 0))
    }
}
