// All that an operator can set, as typed values. ConfigurationSchema names each of them for files, environment and flags.
//
// A value of this type that ConfigurationLoader gave has been checked as a whole; nothing after it checks again.

import ContrastiveClustering

/// The daemon's settings; a fresh value holds the defaults.
public struct Configuration: Sendable, Equatable {
    /// What the daemon does.
    public enum Mode: String, Sendable, CaseIterable {
        /// Trains on what arrives and assigns it.
        case train
    }

    /// What is published with assignments, and where.
    public struct Publish: Sendable, Equatable {
        /// Where the XPUB socket listens.
        public var endpoint = "tcp://127.0.0.1:5557"
        /// Whether each assignment carries the probability of every cluster.
        public var probabilities = false
        /// The embedding that each assignment carries as a third frame.
        public var embedding = EmbeddingKind.none
    }

    /// The model.
    public struct Model: Sendable, Equatable {
        /// The backbones that there are.
        public enum Architecture: String, Sendable, CaseIterable {
            /// ResNet-18.
            case resnet18
            /// ResNet-34.
            case resnet34
            /// ResNet-50.
            case resnet50
        }

        /// The backbone.
        public var architecture = Architecture.resnet34
        /// Pixels of the side of the square that the network sees.
        public var imageSize = 224
        /// M, the number of clusters.
        public var clusters = 10
        /// The length of the instance head's vector.
        public var featureDim = 128
    }

    /// How training goes; the defaults are the paper's.
    public struct Train: Sendable, Equatable {
        /// Which of the two views of an image are augmented.
        public enum Views: String, Sendable, CaseIterable {
            /// T(x) + T(x), the method itself.
            case both
            /// T(x) + x.
            case one
            /// x + x.
            case none
        }

        /// Which heads are trained.
        public enum Heads: String, Sendable, CaseIterable {
            /// Both, the method itself.
            case both
            /// Without the cluster head's loss.
            case instance
            /// Without the instance head's loss.
            case cluster
        }

        /// N, the images a step.
        public var batchSize = 256
        /// Adam's rate.
        public var learningRate = 0.0003
        /// τ_I.
        public var instanceTemperature = 0.5
        /// τ_C.
        public var clusterTemperature = 1.0
        /// Which views are augmented.
        public var views = Views.both
        /// Which heads are trained.
        public var heads = Heads.both
        /// s, the strength of the colour jitter.
        public var jitter = 1.0
        /// Whether views are blurred.
        public var blur = false
        /// What every random number of a run follows from.
        public var seed = 42
    }

    /// How images are gathered for assigning.
    public struct Assign: Sendable, Equatable {
        /// Images assigned at once, at most.
        public var maxBatch = 32
        /// Milliseconds that an image waits for others that are being decoded.
        public var maxDelayMilliseconds = 20
    }

    /// Where checkpoints go, and when.
    public struct Checkpoint: Sendable, Equatable {
        /// The folder.
        public var directory: String
        /// Steps between checkpoints.
        public var everySteps = 200
        /// Seconds between checkpoints, should any step have been taken.
        public var everySeconds = 600
        /// How many are kept.
        public var keep = 5
    }

    /// Where assignments are to be kept for later readers.
    public struct Journal: Sendable, Equatable {
        /// The folder.
        public var directory: String
        /// How many assignments are kept.
        public var keepRows = 10_000_000
    }

    /// What the daemon does.
    public var mode = Mode.train
    /// Threads of the engine; 0 is one a core.
    public var threads = 0
    /// Whether sockets without encryption may reach beyond this machine.
    public var allowPlaintext = false
    /// Where images come from.
    public var sources = [
        SourceSettings(name: "stream", endpoint: "tcp://127.0.0.1:5555"),
        SourceSettings(name: "queue", endpoint: "tcp://127.0.0.1:5556", pattern: .pull, overload: .block),
    ]
    /// What is published, and where.
    public var publish = Publish()
    /// Where control operations are to be answered.
    public var controlEndpoint = "tcp://127.0.0.1:5558"
    /// Where the status page is to be served.
    public var httpListen = "127.0.0.1:8080"
    /// The model.
    public var model = Model()
    /// How training goes.
    public var train = Train()
    /// How images are gathered for assigning.
    public var assign = Assign()
    /// Where checkpoints go, and when.
    public var checkpoint: Checkpoint
    /// Where assignments are to be kept.
    public var journal: Journal

    /// Creates the defaults, which keep their files in `stateDirectory`.
    public init(stateDirectory: String) {
        checkpoint = Checkpoint(directory: stateDirectory)
        journal = Journal(directory: stateDirectory)
    }

    /// The folder for files that outlive the process: systemd's `$STATE_DIRECTORY`, else `$XDG_STATE_HOME/clusterd`,
    /// else `~/.local/state/clusterd`.
    public static func stateDirectory(environment: [String: String]) -> String {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        // systemd.exec(5): several directories are separated by colons.
        if let directory = value("STATE_DIRECTORY")?.split(separator: ":").first { return String(directory) }
        // XDG Base Directory Specification: a relative path is invalid and to be ignored.
        if let state = value("XDG_STATE_HOME"), state.hasPrefix("/") { return state + "/clusterd" }
        return (value("HOME") ?? "/var/lib/clusterd") + "/.local/state/clusterd"
    }
}
