// All that an operator can set, as typed values. ConfigurationSchema names each of them for files, environment and flags.
//
// A value of this type that ConfigurationLoader gave has been checked as a whole; nothing after it checks again.

import ContrastiveClustering
import Journal

/// The daemon's settings; a fresh value holds the defaults.
public struct Configuration: Sendable, Equatable {
    /// What the daemon does.
    public enum Mode: String, Sendable, CaseIterable {
        /// Trains on what arrives and assigns it.
        case train
        /// Assigns what arrives, with the models that another daemon trains.
        case replica
    }

    /// The daemon that a replica follows.
    public struct Replica: Sendable, Equatable {
        /// Its publisher; empty is not said.
        public var subscribe = ""
        /// Its control endpoint; empty is not said.
        public var control = ""
        /// Its key, and who this daemon says it is, for both endpoints.
        public var curve = CurveSettings()

        /// The sockets that a replica connects, each with its setting.
        var endpoints: [(key: String, endpoint: String)] {
            [("replica.subscribe", subscribe), ("replica.control", control)]
        }
    }

    /// What is published with assignments, and where.
    public struct Publish: Sendable, Equatable {
        /// Where the XPUB socket listens.
        public var endpoint = "tcp://127.0.0.1:5557"
        /// Whether each assignment carries the probability of every cluster.
        public var probabilities = false
        /// The embedding that each assignment carries as a third frame.
        public var embedding = EmbeddingKind.none
        /// The endpoint's keys.
        public var curve = CurveSettings()
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

    /// Where assignments are kept for later readers, and for how long.
    public struct Journal: Sendable, Equatable {
        /// The folder.
        public var directory: String
        /// How many assignments are kept; 0 is all.
        public var keepRows = 10_000_000
        /// For how many days an assignment is kept; 0 is for ever.
        public var keepDays = 0
        /// When an assignment is on disk.
        public var synchronous = JournalSettings.Synchronous.normal
    }

    /// What the daemon does.
    public var mode = Mode.train
    /// Threads of the engine; 0 is one a core.
    public var threads = 0
    /// Whether sockets without encryption may reach beyond this machine.
    public var allowPlaintext = false
    /// The daemon to follow, in the mode `replica`.
    public var replica = Replica()
    /// Where images come from.
    public var sources = [
        SourceSettings(name: "stream", endpoint: "tcp://127.0.0.1:5555"),
        SourceSettings(name: "queue", endpoint: "tcp://127.0.0.1:5556", pattern: .pull, overload: .block),
    ]
    /// What is published, and where.
    public var publish = Publish()
    /// Where control operations are answered.
    public var controlEndpoint = "tcp://127.0.0.1:5558"
    /// The control endpoint's keys.
    public var controlCurve = CurveSettings()
    /// Where the status page, health and metrics are served; `off` for nowhere.
    public var httpListen = "127.0.0.1:8080"
    /// The file with the token that the page wants; empty for none.
    public var httpTokenFile = ""
    /// The model.
    public var model = ModelSettings()
    /// How training goes; the defaults are the paper's.
    public var train = TrainingSettings()
    /// How images are gathered for assigning.
    public var assign = Assign()
    /// Where checkpoints go, and when.
    public var checkpoint: Checkpoint
    /// Where assignments are kept, and for how long.
    public var journal: Journal
    /// What goes to standard error.
    public var log = LogSettings()

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
