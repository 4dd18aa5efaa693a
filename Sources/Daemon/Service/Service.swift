// The daemon as a whole: started and ended in order, the input first.
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
        /// The share of the usual patience with workers after which the page says that one hangs.
        package var patience = 1.0

        /// Creates the pace that the public interface promises.
        package init() {}
    }

    private let parts: ServiceParts
    private let journalKeeper: JournalKeeper

    private var logger: Logger { parts.logger }
    private var gateway: Gateway { parts.gateway }
    private var pipeline: Pipeline { parts.pipeline }

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
        parts = try ServiceParts(
            configuration: configuration, logger: logger, pace: pace, makeLearner: makeLearner)
        journalKeeper = JournalKeeper(parts.journal)
    }

    // MARK: Running

    /// Opens the sockets and starts the workers; a second call only returns the endpoints.
    ///
    /// - Returns: where the sockets listen or connect, with the ports that the system chose.
    /// - Throws: `ZeroMQError` with the endpoint, such as for a port in use; nothing runs then.
    @discardableResult
    package func start() throws -> Gateway.Endpoints {
        let pageAddress = try parts.page?.start()
        let endpoints: Gateway.Endpoints
        do {
            endpoints = try gateway.start(
                heartbeat: { [output = parts.output, numbering = pipeline.numbering] in
                    output.announceCheckpoint()
                    let numbering = numbering.read { $0 }
                    return HeartbeatMessage(
                        epoch: numbering.epoch, sequence: numbering.last, published: wallClockNanoseconds()
                    ).frames
                }, onRequest: parts.control.take)
        } catch {
            parts.page?.stop()
            throw error
        }
        parts.control.start()
        journalKeeper.start()
        pipeline.start()
        if case .replica(let follower) = parts.role { follower.start() }
        for (source, endpoint) in zip(parts.configuration.read(\.sources), endpoints.sources) {
            logger.info(
                source.role == .bind ? "listening for images" : "connecting for images",
                metadata: [
                    "source": "\(source.name)", "endpoint": "\(endpoint)", "pattern": "\(source.pattern)",
                    "dialect": "\(source.dialect)", "overload": "\(source.overload.rawValue)",
                ])
        }
        logger.info(
            "publishing",
            metadata: ["endpoint": "\(endpoints.publisher)", "epoch": "\(parts.journal.numbering.epoch)"])
        if let endpoint = endpoints.control { logger.info("answering control", metadata: ["endpoint": "\(endpoint)"]) }
        if let pageAddress { logger.info("serving the page", metadata: ["address": "http://\(pageAddress)/"]) }
        return endpoints
    }

    /// Goes by another configuration from now on, as far as that can change while the daemon runs.
    ///
    /// - Returns: what has changed, and what else is different but needs a restart.
    @discardableResult
    package func reconfigure(_ wanted: Configuration) -> Reconfiguration {
        let (change, now) = parts.configuration.withLock { current in
            let change = Reconfiguration(from: current, to: wanted)
            change.apply(wanted, to: &current)
            return (change, current)
        }
        parts.output.setSendsProbabilities(now.publish.probabilities)
        parts.store.setKeep(now.checkpoint.keep)
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
        parts.readiness.set(false)
        switch parts.role {
        case .trainer(let churn): churn.end()
        case .replica(let follower): follower.stop()
        }
        gateway.stopInput()
        gateway.queues.close()
        if gateway.queues.isHeld {
            for image in gateway.queues.removeAll() {
                parts.output.reject(source: image.source, id: image.id, reason: "no-model")
            }
        }
        pipeline.drain()
        parts.control.stop()
        gateway.finish()
        journalKeeper.stop()
        parts.journal.close()
        parts.page?.stop()
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
    public var journalFailed: Bool { parts.journal.status.failure != nil }

    /// Waits until the model answers as fast as it will, and says that it is ready then; returns only once started.
    package func waitUntilWarm() {
        pipeline.waitUntilWarm()
        parts.readiness.set(true)
    }

    /// What a service manager is to know of this one.
    package var subject: ServiceManager.Subject {
        ServiceManager.Subject(
            workers: parts.workers, finishers: parts.workers + (pipeline.writingMark.map { [$0] } ?? []),
            status: { [pipeline, journal = parts.journal] in
                pipeline.statusLine + (journal.status.failure == nil ? "" : ", the journal cannot be written")
            })
    }

    /// All metrics in Prometheus's text format, whose media type is `MetricRegistry.contentType`; from any thread, in
    /// a few milliseconds at most.
    public func metricsText() -> String { parts.metrics.registry.text() }

    /// The metrics that there are.
    package var knownMetrics: [Metric] { parts.metrics.registry.metrics }
}
