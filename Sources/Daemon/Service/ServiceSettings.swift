// What the configuration means for each part of the daemon.

import Checkpoints
import ContrastiveClustering
import Imaging
import Journal
import StreamProtocol
import Tensors
import ZeroMQ

extension Configuration {
    /// Threads of the engine.
    package var engineThreads: Int { threads > 0 ? threads : ThreadPool.processorCount }

    /// All settings as one JSON object, each value as its text: what a checkpoint says it was trained under.
    var json: String {
        let bytes = JSONWriter.object { object in
            for setting in ConfigurationSchema.settings { object.member(setting.key, setting.value(self)) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Configuration {
    /// What the page says of the settings.
    var about: [String: JSON] {
        [
            "version": .string(clusterdVersion), "architecture": .string(model.architecture.rawValue),
            "image_size": JSON(model.imageSize), "clusters": JSON(model.clusters), "batch_size": JSON(train.batchSize),
        ]
    }
}

extension GatewaySettings {
    /// Reads the keys that the configuration names.
    ///
    /// - Throws: `KeyFileError`.
    init(_ configuration: Configuration) throws(KeyFileError) {
        self.init(sources: configuration.sources, publishEndpoint: configuration.publish.endpoint)
        controlEndpoint = configuration.controlEndpoint
        for source in configuration.sources {
            security[Self.endpointName(ofSource: source.name)] = try source.curve.load()
        }
        security[Self.publisherName] = try configuration.publish.curve.load()
        security[Self.controlName] = try configuration.controlCurve.load()
    }
}

extension ReplicaFollower.Settings {
    /// Reads the keys that the configuration names.
    ///
    /// - Throws: `KeyFileError`, and `ZeroMQError` where keys for the moment cannot be made.
    init(_ configuration: Configuration) throws {
        var curve: CurveClient?
        if case .client(let server, let keys)? = try configuration.replica.curve.load() {
            curve = try CurveClient(serverKey: server, keys: keys)
        }
        self.init(
            publisher: configuration.replica.subscribe, control: configuration.replica.control, curve: curve,
            folder: configuration.checkpoint.directory)
    }
}

extension JournalSettings {
    init(_ journal: Configuration.Journal) {
        self.init(
            directory: journal.directory, keepRows: journal.keepRows == 0 ? nil : journal.keepRows,
            keepSeconds: journal.keepDays == 0 ? nil : Int64(journal.keepDays) * 86_400,
            synchronous: journal.synchronous)
    }
}

extension Pipeline.Settings {
    init(_ configuration: Configuration) {
        self.init(
            // Decoding is a small part of the work, and what it takes is taken from the learners.
            decoderThreads: max(1, min(8, configuration.engineThreads / 2)),
            maximumBatch: configuration.assign.maxBatch,
            maximumDelay: Double(configuration.assign.maxDelayMilliseconds) / 1000,
            embedding: configuration.publish.embedding, clusters: configuration.model.clusters,
            batchSize: configuration.train.batchSize,
            maximumTrainingBytes: Self.maximumTrainingBytes(configuration),
            schedule: CheckpointSchedule(
                everySteps: UInt64(configuration.checkpoint.everySteps),
                everySeconds: Double(configuration.checkpoint.everySeconds)))
        warmUpSide = configuration.model.imageSize
    }

    /// A picture kept for training has up to 3 (2 side)² bytes, so that crops are still resized from more pixels than
    /// they get, and more for as long as all together stay within 1 GiB.
    private static func maximumTrainingBytes(_ configuration: Configuration) -> Int {
        let side = configuration.model.imageSize
        return max(12 * side * side, (1 << 30) / (2 * configuration.train.batchSize))
    }
}

extension CheckpointModel {
    init(_ model: ModelSettings) {
        self.init(
            architecture: model.architecture.rawValue, imageSize: model.imageSize, clusters: model.clusters,
            featureDim: model.featureDimension)
    }
}
