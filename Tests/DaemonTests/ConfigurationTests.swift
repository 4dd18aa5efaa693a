// What becomes a configuration: defaults, precedence, and where each value came from.

import Daemon
import XCTest

final class ConfigurationTests: XCTestCase {
    private func load(
        _ text: String? = nil, environment: [String: String] = ["STATE_DIRECTORY": "/state"], set: [String] = []
    ) throws -> LoadedConfiguration {
        try ConfigurationLoader.load(
            file: text.map { ("clusterd.yaml", $0) }, environment: environment, assignments: set)
    }

    /// The defaults as the public interface documents them.
    private static let documented = """
        mode: train                      # train | replica
        threads: 0                       # 0: every core
        sources:
          - {name: stream, endpoint: "tcp://127.0.0.1:5555", role: bind, pattern: sub,  dialect: auto, overload: drop-oldest, color: bgr}
          - {name: queue,  endpoint: "tcp://127.0.0.1:5556", role: bind, pattern: pull, dialect: auto, overload: block, color: bgr}
        publish: {endpoint: "tcp://127.0.0.1:5557", probabilities: false, embedding: none}   # none | feature | instance
        control: {endpoint: "tcp://127.0.0.1:5558"}
        http: {listen: "127.0.0.1:8080"}
        model: {architecture: resnet34, image_size: 224, clusters: 10, feature_dim: 128}
        train: {batch_size: 256, learning_rate: 0.0003, instance_temperature: 0.5, cluster_temperature: 1.0,
                views: both, heads: both, jitter: 1.0, blur: false, seed: 42}
        assign: {max_batch: 32, max_delay_ms: 20}
        checkpoint: {directory: /state, every_steps: 200, every_seconds: 600, keep: 5}
        journal: {directory: /state, keep_rows: 10000000, keep_days: 0, synchronous: normal}
        log: {level: info, format: auto}
        """

    func testTheDocumentedDefaultsAreTheDefaults() throws {
        let standard = try load()
        let written = try load(Self.documented)
        XCTAssertEqual(written.configuration, standard.configuration)
        XCTAssertEqual(standard.origins, [:])
        XCTAssertEqual(written.origin(of: "train.heads"), .file("clusterd.yaml", line: 11))
        XCTAssertEqual(written.origin(of: "sources.queue.pattern"), .file("clusterd.yaml", line: 5))
        // Every key that there is stands in the documented defaults, but for those of security and of replicas, which are off.
        let unset = ConfigurationSchema.settings.map(\.key).filter { written.origin(of: $0) == .standard }
        XCTAssertEqual(
            unset,
            [
                "allow_plaintext", "replica.subscribe", "replica.control", "replica.curve_server_key",
                "replica.curve_secret_key", "publish.curve_secret_key", "publish.curve_clients",
                "control.curve_secret_key",
                "control.curve_clients", "http.token_file",
            ])
    }

    func testAnEmptyFileIsTheDefaults() throws {
        let standard = try load().configuration
        for text in ["", "# nothing\n", "---\n", "train:\n", "train: {}\n", "train:\n  # batch_size: 4\npublish:\n"] {
            XCTAssertEqual(try load(text).configuration, standard, text)
        }
    }

    func testFlagBeforeEnvironmentBeforeFileBeforeDefault() throws {
        let file = "train:\n  batch_size: 10\n  seed: 1\n  jitter: 0.5\n"
        let environment = ["CLUSTERD_TRAIN_BATCH_SIZE": "20", "CLUSTERD_TRAIN_SEED": "2"]
        let loaded = try load(file, environment: environment, set: ["train.batch_size=29", "train.batch_size=30"])
        XCTAssertEqual(loaded.configuration.train.batchSize, 30)
        XCTAssertEqual(loaded.configuration.train.seed, 2)
        XCTAssertEqual(loaded.configuration.train.jitter, 0.5)
        XCTAssertEqual(loaded.origin(of: "train.batch_size"), .commandLine)
        XCTAssertEqual(loaded.origin(of: "train.seed"), .environment("CLUSTERD_TRAIN_SEED"))
        XCTAssertEqual(loaded.origin(of: "train.jitter"), .file("clusterd.yaml", line: 4))
        XCTAssertEqual(loaded.origin(of: "train.blur"), .standard)
    }

    func testEveryKeyCanBeSetByAFlagAndAVariable() throws {
        let standard = try load()
        for setting in ConfigurationSchema.settings {
            let value = setting.value(standard.configuration)
            let byFlag = try load(set: ["\(setting.key)=\(value)"])
            XCTAssertEqual(byFlag.configuration, standard.configuration, setting.key)
            XCTAssertEqual(byFlag.origin(of: setting.key), .commandLine)
            let variable = "CLUSTERD_" + setting.key.uppercased().replacing(".", with: "_")
            let byVariable = try load(environment: ["STATE_DIRECTORY": "/state", variable: value])
            XCTAssertEqual(byVariable.origin(of: setting.key), .environment(variable))
        }
    }

    func testASourceIsSetByItsName() throws {
        let loaded = try load(
            environment: ["CLUSTERD_SOURCES_QUEUE_OVERLOAD": "drop-newest"],
            set: [
                "sources.queue.endpoint=tcp://127.0.0.1:*", "sources.yard.cam.endpoint=tcp://127.0.0.1:7001",
                "sources.yard.cam.pattern=pull", "sources.yard.cam.role=connect",
            ])
        XCTAssertEqual(loaded.configuration.sources.map(\.name), ["stream", "queue", "yard.cam"])
        XCTAssertEqual(loaded.configuration.sources[1].endpoint, "tcp://127.0.0.1:*")
        XCTAssertEqual(loaded.configuration.sources[1].overload, .dropNewest)
        XCTAssertEqual(loaded.configuration.sources[2].role, .connect)
        XCTAssertEqual(loaded.configuration.sources[2].overload, .block, "what PUSH senders expect")
        XCTAssertEqual(loaded.origin(of: "sources.queue.overload"), .environment("CLUSTERD_SOURCES_QUEUE_OVERLOAD"))
    }

    func testWhatIsDoneWithAFullQueueFollowsFromThePattern() throws {
        for (pattern, overload) in [
            ("sub", SourceSettings.Overload.dropOldest), ("pull", .block), ("rep", .block), ("pair", .block),
        ] {
            let set = ["sources.stream.pattern=\(pattern)", "sources.new.endpoint=ipc:///run/new"]
            let sources = try load(set: set + ["sources.new.pattern=\(pattern)"]).configuration.sources
            XCTAssertEqual(sources.map(\.overload), [overload, .block, overload], pattern)
        }
        let told = try load(set: ["sources.stream.pattern=rep", "sources.stream.overload=drop-newest"])
        XCTAssertEqual(told.configuration.sources[0].overload, .dropNewest)
    }

    func testTheFilesSourcesReplaceTheDefaultOnes() throws {
        let loaded = try load("sources:\n  - name: cam\n    endpoint: ipc:///run/cam\n")
        XCTAssertEqual(loaded.configuration.sources, [SourceSettings(name: "cam", endpoint: "ipc:///run/cam")])
    }

    func testEndpointsBeyondThisMachineWhereAllowed() throws {
        let open = [
            "publish.endpoint=tcp://*:5557", "sources.cam.endpoint=tcp://cam.example.org:5555",
            "sources.cam.role=connect",
        ]
        let loaded = try load("allow_plaintext: true\n", set: open)
        XCTAssertEqual(loaded.configuration.publish.endpoint, "tcp://*:5557")
        XCTAssertEqual(loaded.configuration.sources.last?.endpoint, "tcp://cam.example.org:5555")
    }

    func testTheStateDirectory() {
        func directory(_ environment: [String: String]) -> String {
            Configuration.stateDirectory(environment: environment)
        }
        XCTAssertEqual(directory(["STATE_DIRECTORY": "/a:/b", "XDG_STATE_HOME": "/x", "HOME": "/h"]), "/a")
        XCTAssertEqual(directory(["XDG_STATE_HOME": "/x", "HOME": "/h"]), "/x/clusterd")
        XCTAssertEqual(directory(["XDG_STATE_HOME": "relative", "HOME": "/h"]), "/h/.local/state/clusterd")
        XCTAssertEqual(directory(["STATE_DIRECTORY": "", "HOME": "/h"]), "/h/.local/state/clusterd")
    }

    func testTheReportNamesEveryKeyAndItsOrigin() throws {
        let lines = try load("threads: 3\n", set: ["train.seed=7"]).report.split(separator: "\n")
        func line(_ key: String) -> [Substring]? {
            lines.first { $0.hasPrefix(key + " ") }?.split(separator: " ")
        }
        XCTAssertEqual(line("threads"), ["threads", "=", "3", "clusterd.yaml:1"])
        XCTAssertEqual(line("train.seed"), ["train.seed", "=", "7", "--set"])
        XCTAssertEqual(line("sources.queue.pattern"), ["sources.queue.pattern", "=", "pull", "default"])
        for setting in ConfigurationSchema.settings { XCTAssertNotNil(line(setting.key), setting.key) }
    }
}
