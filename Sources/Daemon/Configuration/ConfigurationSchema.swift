// Every setting that there is, in the order in which check-config and the documentation show them.

import ContrastiveClustering
import StreamProtocol

/// The settings of a configuration and of each of its sources.
public enum ConfigurationSchema {
    /// The settings apart from the sources'.
    public static let settings: [Setting<Configuration>] =
        general + replica + publish + control + http + model + train + assign + checkpoint + journal + log

    /// The settings of each source; in a flag their keys follow `sources.NAME.`.
    public static let sourceSettings: [Setting<SourceSettings>] = [
        .text(
            "name", \.name, expectation: "a name of 1 to 64 letters, digits, “.”, “_” and “-”",
            "the source's name, and that of images whose sender gives none"
        ) { name throws(SettingRefusal) in name.wholeMatch(of: /[A-Za-z0-9_.-]{1,64}/) == nil ? nil : name },
        endpoint("endpoint", \.endpoint, "where images come from: tcp://ADDRESS:PORT or ipc://PATH"),
        .choice("role", \.role, "bind: senders connect to us; connect: we connect to the sender"),
        .choice(
            "pattern", \.pattern,
            "sub: from PUB senders, at most once; pull: from PUSH senders, with back-pressure; rep: from REQ senders, "
                + "each image is answered; pair: as rep, for one sender at a time"),
        .choice("dialect", \.dialect, "how messages are laid out; auto tells by the message"),
        .choice(
            "overload", \.overload,
            "when images come too fast: block makes senders wait, the others drop and count; left out, drop-oldest for "
                + "sub and block for the others"),
        .choice("color", \.color, "the order of raw pixels' channels where the sender does not say it"),
        keyFile(
            "curve_secret_key", \.curve.secretKey,
            "encrypts the source: the file with its own keys, which only its owner can read"),
        clients("curve_clients", \.curve.clients),
        keyFile(
            "curve_server_key", \.curve.serverKey,
            "with role connect: the file with the public key of the sender that is connected to"),
    ]

    private static let general: [Setting<Configuration>] = [
        .choice(
            "mode", \.mode,
            "train: train on what arrives and assign it; replica: assign only, with the models of another daemon"),
        .integer("threads", \.threads, 0...1024, "threads of the engine; 0 is one a core"),
        .flag(
            "allow_plaintext", \.allowPlaintext,
            "whether endpoints without encryption may reach beyond this machine; anyone who reaches them can then read "
                + "and send"),
    ]

    private static let replica: [Setting<Configuration>] = [
        endpoint("replica.subscribe", \.replica.subscribe, "the publisher of the daemon that a replica follows"),
        endpoint("replica.control", \.replica.control, "that daemon's control endpoint, where models are fetched"),
        keyFile(
            "replica.curve_server_key", \.replica.curve.serverKey,
            "connects encrypted: the file with that daemon's public key"),
        keyFile(
            "replica.curve_secret_key", \.replica.curve.secretKey,
            "the file with the keys that it knows this replica by; left out, keys for the moment"),
    ]

    private static let publish: [Setting<Configuration>] = [
        endpoint("publish.endpoint", \.publish.endpoint, "where assignments, checkpoints and heartbeats are published"),
        .flag(
            "publish.probabilities", \.publish.probabilities,
            "whether assignments carry the probability of every cluster"),
        .choice(
            "publish.embedding", \.publish.embedding,
            "the vector that follows an assignment: the backbone's feature or the instance head's"),
        keyFile(
            "publish.curve_secret_key", \.publish.curve.secretKey,
            "encrypts the endpoint: the file with its own keys, which only its owner can read"),
        clients("publish.curve_clients", \.publish.curve.clients),
    ]

    private static let control: [Setting<Configuration>] = [
        endpoint("control.endpoint", \.controlEndpoint, "where control operations are answered"),
        keyFile(
            "control.curve_secret_key", \.controlCurve.secretKey,
            "encrypts the endpoint: the file with its own keys, which only its owner can read"),
        clients("control.curve_clients", \.controlCurve.clients),
    ]

    private static let http: [Setting<Configuration>] = [
        .text(
            "http.listen", \.httpListen, expectation: "ADDRESS:PORT or off",
            "where the status page, /metrics, /healthz and /readyz are served; off: nowhere"
        ) { text throws(SettingRefusal) in text },
        keyFile(
            "http.token_file", \.httpTokenFile,
            "the file with the token that readers of the page show, which not everybody can read; needed beyond this "
                + "machine"),
    ]

    private static let model: [Setting<Configuration>] = [
        .choice("model.architecture", \.model.architecture, "the backbone"),
        .integer("model.image_size", \.model.imageSize, 16...1024, "pixels of the side of the square the network sees"),
        .integer("model.clusters", \.model.clusters, 2...10_000, "into how many clusters images are sorted"),
        .integer("model.feature_dim", \.model.featureDimension, 1...4096, "the length of the instance head's vector"),
    ]

    private static let train: [Setting<Configuration>] = [
        .integer("train.batch_size", \.train.batchSize, 2...65_536, "images a training step"),
        .number("train.learning_rate", \.train.learningRate, 1e-8...1, "Adam's rate"),
        .number(
            "train.instance_temperature", \.train.instanceTemperature, 0.01...100, "temperature of the instance loss"),
        .number("train.cluster_temperature", \.train.clusterTemperature, 0.01...100, "temperature of the cluster loss"),
        .choice("train.views", \.train.views, "how many of the two views of an image are augmented"),
        .choice("train.heads", \.train.heads, "which heads are trained"),
        .number(
            "train.jitter", \.train.jitter, 0...2,
            "strength of the colour jitter: 1 for photographs, 0.5 for small images"),
        .flag("train.blur", \.train.blur, "whether views are blurred half of the time"),
        .integer("train.seed", \.train.seed, 0...Int.max, "what all randomness follows from"),
    ]

    private static let assign: [Setting<Configuration>] = [
        .integer("assign.max_batch", \.assign.maxBatch, 1...4096, "images assigned at once, at most"),
        .integer(
            "assign.max_delay_ms", \.assign.maxDelayMilliseconds, 0...10_000,
            "milliseconds that an image waits for others on their way"),
    ]

    private static let checkpoint: [Setting<Configuration>] = [
        directory("checkpoint.directory", \.checkpoint.directory, "where checkpoints are written and resumed from"),
        .integer("checkpoint.every_steps", \.checkpoint.everySteps, 1...Int.max, "steps between checkpoints"),
        .integer(
            "checkpoint.every_seconds", \.checkpoint.everySeconds, 1...31_536_000,
            "seconds between checkpoints, should a step have been taken"),
        .integer("checkpoint.keep", \.checkpoint.keep, 1...10_000, "how many checkpoints are kept"),
    ]

    private static let journal: [Setting<Configuration>] = [
        directory(
            "journal.directory", \.journal.directory, "where assignments are kept for those who ask for them later"),
        .integer("journal.keep_rows", \.journal.keepRows, 0...Int.max, "how many assignments are kept; 0 is all"),
        .integer(
            "journal.keep_days", \.journal.keepDays, 0...36_500, "days that an assignment is kept for; 0 is for ever"),
        .choice(
            "journal.synchronous", \.journal.synchronous,
            "full: an assignment is on disk before it is published; normal: soon after, which only a loss of power tells "
                + "from it"),
    ]

    private static let log: [Setting<Configuration>] = [
        .choice("log.level", \.log.level, "how much is logged"),
        .choice(
            "log.format", \.log.format,
            "text: for people; journald: with priorities, for the journal of systemd; json: an object a line; auto: "
                + "journald where standard error is the journal, text elsewhere"),
    ]

    // The address is judged when all settings are known: what is right depends on the source's role.
    private static func endpoint<Root>(
        _ key: String, _ path: WritableKeyPath<Root, String> & Sendable, _ documentation: String
    ) -> Setting<Root> {
        .text(key, path, expectation: "an endpoint", documentation) { text throws(SettingRefusal) in text }
    }

    // Whether they can be used is judged with the other settings of the endpoint; empty is as if they were not set.
    private static func keyFile<Root>(
        _ key: String, _ path: WritableKeyPath<Root, String> & Sendable, _ documentation: String
    ) -> Setting<Root> {
        .text(key, path, expectation: "a file", documentation) { text throws(SettingRefusal) in text }
    }

    private static func clients<Root>(
        _ key: String, _ path: WritableKeyPath<Root, String> & Sendable
    ) -> Setting<Root> {
        .text(
            key, path, expectation: "a folder, a file or \(CurveSettings.anyClient)",
            "who may connect: a folder of public keys, one file of them, or any, which is everybody who knows the public "
                + "key of curve_secret_key"
        ) { text throws(SettingRefusal) in text }
    }

    private static func directory(
        _ key: String, _ path: WritableKeyPath<Configuration, String> & Sendable, _ documentation: String
    ) -> Setting<Configuration> {
        .text(key, path, expectation: "a folder", documentation) { text throws(SettingRefusal) in
            guard !text.isEmpty, !text.contains("\0") else { throw SettingRefusal(message: "a folder has a name") }
            return text
        }
    }
}
