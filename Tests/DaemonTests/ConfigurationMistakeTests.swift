// Every mistake is named with its key and line, all of them at once.

import Daemon
import XCTest

final class ConfigurationMistakeTests: XCTestCase {
    private func mistakes(
        _ text: String? = nil, environment: [String: String] = [:], set: [String] = []
    ) -> [String] {
        do {
            _ = try ConfigurationLoader.load(
                file: text.map { ("c.yaml", $0) }, environment: environment, assignments: set)
            return []
        } catch {
            return error.mistakes.map(\.description)
        }
    }

    func testUnknownKeysNameTheNearest() {
        XCTAssertEqual(
            mistakes(
                """
                threds: 2
                train:
                  batchsize: 64
                  max_batch: 3
                trian:
                  seed: 5
                modle: {clusters: 3, colour: red}
                xylophone: 1
                sources:
                  - {name: a, endpoint: "tcp://127.0.0.1:1", patern: sub, speed: 3}
                """),
            [
                "c.yaml:1: threds: no such key; did you mean threads?",
                "c.yaml:3: train.batchsize: no such key; did you mean train.batch_size?",
                "c.yaml:4: train.max_batch: no such key; did you mean assign.max_batch?",
                "c.yaml:6: trian.seed: no such key; did you mean train.seed?",
                "c.yaml:7: modle.clusters: no such key; did you mean model.clusters?",
                "c.yaml:7: modle.colour: no such key; did you mean model.clusters?",
                "c.yaml:8: xylophone: no such key",
                "c.yaml:10: sources.a.patern: no such key; did you mean pattern?",
                "c.yaml:10: sources.a.speed: no such key: a source has name, endpoint, role, pattern, dialect, overload, color, curve_secret_key, curve_clients, curve_server_key",
            ])
    }

    func testWrongTypesSayWhatIsExpected() {
        XCTAssertEqual(
            mistakes(
                """
                threads: many
                train:
                  batch_size: "64"
                  learning_rate: fast
                  blur: perhaps
                  seed: 1.5
                  views:
                  heads: [both]
                  jitter: .nan
                publish: 5557
                assign:
                  max_batch: {of: 3}
                sources: none
                """),
            [
                "c.yaml:1: threads: “many” where a whole number, 0 to 1024, is expected",
                "c.yaml:3: train.batch_size: the text \"64\" where a whole number, 2 to 65536, is expected",
                "c.yaml:4: train.learning_rate: “fast” where a number, 1e-08 to 1.0, is expected",
                "c.yaml:5: train.blur: “perhaps” where true or false is expected",
                "c.yaml:6: train.seed: “1.5” where a whole number, at least 0, is expected",
                "c.yaml:7: train.views: nothing where one of both, one, none is expected",
                "c.yaml:8: train.heads: a list where one of both, instance, cluster is expected",
                "c.yaml:9: train.jitter: “.nan” where a number, 0.0 to 2.0, is expected",
                "c.yaml:10: publish: “5557” where a section of keys is expected",
                "c.yaml:12: assign.max_batch: a section where a whole number, 1 to 4096, is expected",
                "c.yaml:13: sources: “none” where a list of sources is expected",
            ])
    }

    func testValuesOutOfRangeSayTheRange() {
        XCTAssertEqual(
            mistakes(
                "train: {batch_size: 1, learning_rate: 2}\nmodel:\n  clusters: 99999999999999999999\n  image_size: -4\n"
            ),
            [
                "c.yaml:1: train.batch_size: 1 is out of range: 2 to 65536",
                "c.yaml:1: train.learning_rate: 2 is out of range: 1e-08 to 1.0",
                "c.yaml:3: model.clusters: 99999999999999999999 is out of range: 2 to 10000",
                "c.yaml:4: model.image_size: -4 is out of range: 16 to 1024",
            ])
    }

    func testUnknownWordsNameTheNearest() {
        XCTAssertEqual(
            mistakes(
                """
                mode: replika
                model: {architecture: resnet43}
                sources:
                  - {name: a, endpoint: "tcp://127.0.0.1:1", pattern: req}
                  - {name: b, endpoint: "tcp://127.0.0.1:2", dialect: netgeer}
                  - {name: c, endpoint: "tcp://127.0.0.1:3", overload: drop}
                """),
            [
                "c.yaml:1: mode: “replika” where one of train, replica is expected; did you mean replica?",
                "c.yaml:2: model.architecture: “resnet43” where one of resnet18, resnet34, resnet50 is expected; did you mean resnet34?",
                "c.yaml:4: sources.a.pattern: “req” where one of sub, pull, rep, pair is expected; did you mean rep?",
                "c.yaml:5: sources.b.dialect: “netgeer” where one of auto, clusterd, imagezmq, netgear is expected; did you mean netgear?",
                "c.yaml:6: sources.c.overload: “drop” where one of block, drop-oldest, drop-newest is expected",
            ])
    }

    func testKeysGivenTwice() {
        XCTAssertEqual(
            mistakes(
                """
                threads: 1
                train:
                  seed: 1
                  "batch_size": 64
                  seed: 2
                  batch_size: 3
                  seed: x
                threads: 2
                """),
            [
                "c.yaml:1: threads: the key is given again in line 8",
                "c.yaml:3: train.seed: the key is given again in line 7",
                "c.yaml:4: train.batch_size: the key is given again in line 6",
                "c.yaml:5: train.seed: the key is given again in line 7",
                "c.yaml:7: train.seed: “x” where a whole number, at least 0, is expected",
            ])
    }

    func testWhatWouldTakeForEverIsRefused() {
        let start = ContinuousClock.now
        // Each as long to compare as all before it together.
        let levels = (1...40).map { "x\($0): &x\($0) [*x\($0 - 1), *x\($0 - 1)]\n" }
        XCTAssertEqual(
            mistakes("x0: &x0 [y]\n" + levels.joined() + "? *x40\n: 1\n? *x40\n: 2\n"),
            ["c.yaml:1: there are more than 8 aliases (*name)"])
        XCTAssertEqual(
            mistakes(String(repeating: "threads: 1\n", count: 5_000)), ["c.yaml:17: a key is given twice"])
        XCTAssertLessThan(.now - start, .seconds(10))
    }

    func testSources() {
        XCTAssertEqual(
            mistakes(
                """
                sources:
                  - {name: cam, endpoint: "tcp://127.0.0.1:7001"}
                  - name: cam
                    endpoint: "tcp://127.0.0.1:7002"
                    pattern: pusher
                  - {endpoint: "tcp://127.0.0.1:7003"}
                  - {name: "a b", endpoint: "tcp://127.0.0.1:7004"}
                  - {name: far}
                  - text
                """),
            [
                "c.yaml:3: sources[1].name: the source at c.yaml:2 is called cam too",
                "c.yaml:5: sources[1].pattern: “pusher” where one of sub, pull, rep, pair is expected",
                "c.yaml:6: sources[2]: the source has no name",
                "c.yaml:7: sources[3].name: the text \"a b\" where a name of 1 to 64 letters, digits, “.”, “_” and “-” is expected",
                "c.yaml:8: sources.far: the source has no endpoint",
                "c.yaml:9: sources[5]: “text” where a source's keys are expected",
            ])
        XCTAssertEqual(
            mistakes("sources: []\n"), ["c.yaml:1: sources: there is no source, so no image can ever arrive"])
    }

    func testEndpoints() {
        XCTAssertEqual(
            mistakes(
                """
                sources:
                  - {name: a, endpoint: "tcp://127.0.0.1:7001"}
                  - {name: b, endpoint: "tcp://localhost:7001"}
                  - {name: c, endpoint: "tcp://127.0.0.1:70000"}
                  - {name: d, endpoint: "udp://127.0.0.1:7001"}
                  - {name: e, endpoint: "tcp://127.0.0.1:*", role: connect}
                  - {name: f, endpoint: "tcp://[::1]:7001"}
                  - {name: g, endpoint: "tcp://10.0.0.1:7002"}
                  - {name: h, endpoint: "tcp://127.0.0.1.example.org:7003", role: connect}
                  - {name: i, endpoint: "ipc://"}
                publish: {endpoint: "tcp://127.0.0.1"}
                control: {endpoint: "tcp://127.0.0.1:7001"}
                http: {listen: "0.0.0.0:8080"}
                """),
            [
                "c.yaml:3: sources.b.endpoint: tcp://localhost:7001 is sources.a.endpoint's endpoint already",
                "c.yaml:4: sources.c.endpoint: “70000” is no port: 1 to 65535, or * for one that the system picks",
                "c.yaml:5: sources.d.endpoint: “udp://127.0.0.1:7001” is no endpoint: write tcp://ADDRESS:PORT or ipc://PATH",
                "c.yaml:6: sources.e.endpoint: “*” is no port: 1 to 65535",
                "c.yaml:7: sources.f.endpoint: IPv6 addresses such as [::1] are not supported: write an IPv4 address or a name",
                "c.yaml:8: sources.g.endpoint: tcp://10.0.0.1:7002 reaches beyond this machine without encryption; give it curve_secret_key, or set allow_plaintext: true if that is meant",
                "c.yaml:9: sources.h.endpoint: tcp://127.0.0.1.example.org:7003 reaches beyond this machine without encryption; give it curve_server_key, or set allow_plaintext: true if that is meant",
                "c.yaml:10: sources.i.endpoint: the path of an ipc:// endpoint has 1 to 107 bytes",
                "c.yaml:11: publish.endpoint: “127.0.0.1” has no port: write ADDRESS:PORT",
                "c.yaml:12: control.endpoint: tcp://127.0.0.1:7001 is sources.a.endpoint's endpoint already",
                "c.yaml:13: http.listen: 0.0.0.0:8080 reaches beyond this machine without encryption; set allow_plaintext: true if that is meant",
                "c.yaml:13: http.listen: 0.0.0.0:8080 reaches beyond this machine, and whoever reads the page can act; set http.token_file",
            ])
        XCTAssertEqual(
            mistakes(set: ["allow_plaintext=true", "publish.endpoint=tcp://*:5555"]),
            ["--set: publish.endpoint: tcp://*:5555 is sources.stream.endpoint's endpoint already"])
    }

    func testKeysThatDoNotFitTheRole() {
        XCTAssertEqual(
            mistakes(
                """
                sources:
                  - {name: a, endpoint: "tcp://0.0.0.0:7001", curve_secret_key: a.key_secret}
                  - {name: b, endpoint: "tcp://0.0.0.0:7002", curve_clients: any}
                  - {name: c, endpoint: "tcp://0.0.0.0:7003", curve_server_key: c.key}
                  - {name: d, endpoint: "tcp://10.0.0.1:7004", role: connect, curve_secret_key: d.key_secret}
                  - {name: e, endpoint: "tcp://10.0.0.1:7005", role: connect, curve_clients: any}
                  - {name: f, endpoint: "tcp://10.0.0.1:7006", role: connect, curve_server_key: /nowhere/f.key}
                  - {name: g, endpoint: "tcp://0.0.0.0:7007", curve_secret_key: ""}
                publish: {curve_clients: any, curve_server_key: p.key}
                """),
            [
                "c.yaml:2: sources.a.curve_secret_key: needs curve_clients, who may connect: a folder of public keys, or any",
                "c.yaml:3: sources.b.curve_clients: needs curve_secret_key, the endpoint's own key",
                "c.yaml:4: sources.c.curve_server_key: an endpoint that listens has no server; say who may connect by curve_clients",
                "c.yaml:5: sources.d.curve_secret_key: needs curve_server_key, the other side's public key",
                "c.yaml:6: sources.e.curve_clients: an endpoint that connects has no clients; name the other side's key by curve_server_key",
                "c.yaml:7: sources.f.curve_server_key: cannot read /nowhere/f.key: No such file or directory",
                "c.yaml:8: sources.g.endpoint: tcp://0.0.0.0:7007 reaches beyond this machine without encryption; give it curve_secret_key, or set allow_plaintext: true if that is meant",
                "c.yaml:9: publish.curve_server_key: no such key; did you mean publish.curve_secret_key?",
                "c.yaml:9: publish.curve_clients: needs curve_secret_key, the endpoint's own key",
            ])
    }

    func testEnvironmentAndFlags() {
        XCTAssertEqual(
            mistakes(
                "threads: -1\n",
                environment: [
                    "CLUSTERD_TRAIN_BATCHSIZE": "3", "CLUSTERD_THREDS": "4", "CLUSTERD_TRAIN_SEED": "x",
                    "CLUSTERD_PORT_5555_TCP": "tcp://10.0.0.1", "CLUSTERD_SERVICE_HOST": "10.0.0.1",
                    "CLUSTERD_SOURCES_NOBODY_ROLE": "bind",
                ],
                set: ["train.batch=3", "threads", "sources.cam.role=connect", "sources.stream.name=x", "sources=[]"]),
            [
                "c.yaml:1: threads: -1 is out of range: 0 to 1024",
                "CLUSTERD_SOURCES_NOBODY_ROLE: no setting has this variable; did you mean CLUSTERD_SOURCES_CAM_ROLE?",
                "CLUSTERD_THREDS: no setting has this variable; did you mean CLUSTERD_THREADS?",
                "CLUSTERD_TRAIN_BATCHSIZE: no setting has this variable; did you mean CLUSTERD_TRAIN_BATCH_SIZE?",
                "CLUSTERD_TRAIN_SEED: train.seed: “x” where a whole number, at least 0, is expected",
                "--set: “threads” is no assignment: write KEY=VALUE, such as train.batch_size=64",
                "--set: train.batch: no such key; did you mean train.batch_size?",
                "--set: sources.stream.name: a source's name cannot be changed here",
                "--set: sources: set a source's key by the source's name: sources.NAME.KEY",
                "--set: sources.cam: there is no such source, and a new one needs an endpoint",
            ])
    }

    func testWhatIsNotYAML() {
        let cases = [
            ("train:\n  seed: [1, 2\nthreads: 1\n", "c.yaml:"), ("a: b: c\n", "c.yaml:1: this is not YAML"),
            ("train:\n\tseed: 1\n", "c.yaml:2: this is not YAML"), ("- a\n- b\n", "c.yaml:1: the file is a list"),
            ("threads: *nowhere\n", "c.yaml:1: this is not YAML"), ("just text\n", "c.yaml:1: the file is"),
            ("threads: 1\n---\nthreads: 2\n", "c.yaml:"), ("? [a]\n: 1\n", "c.yaml:1: a key is a list"),
        ]
        for (text, expected) in cases {
            let found = mistakes(text)
            XCTAssertEqual(found.count, 1, "\(text): \(found)")
            XCTAssertTrue(found.first?.hasPrefix(expected) ?? false, "\(text): \(found)")
        }
    }
}
