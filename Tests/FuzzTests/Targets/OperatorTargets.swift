// What operators write: configurations and times.

import Client
import Daemon

extension FuzzTarget {
    /// A configuration: a file, then assignments as of `--set` and environment variables.
    static func configuration(share: Double) -> FuzzTarget {
        let tokens = [
            "mode: train\n", "sources:\n", "  - name: a\n    endpoint: tcp://127.0.0.1:1\n", "train:\n",
            "  batch_size: ",
            "model: {image_size: 64}", "publish: ", "journal: ", "checkpoint: ", "allow_plaintext: true\n", "&a ", "*a",
            "<<: ", "? ", "- ", "!!int ", "!<x> ", "|\n", ">\n", "\"\\u0000\"", "---\n", "...\n", "%YAML 1.2\n", "~",
            "\u{1E}sources.b.endpoint=tcp://*:*", "\u{1E}CLUSTERD_TRAIN_BATCH_SIZE=", "\u{1E}threads=", "\t", "#",
            "[*a, *a]", "{*a : 1}", "0x10", "1_000", ".inf", "1e400", "tcp://0.0.0.0:1", "ipc://",
        ]
        return FuzzTarget("configuration", share: share, tokens: tokens) { input in
            let parts = frames(of: input).map { String(decoding: $0, as: UTF8.self) }
            var environment: [String: String] = [:]
            var assignments: [String] = []
            for part in parts.dropFirst() {
                let words = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                if part.hasPrefix("CLUSTERD_"), words.count == 2 {
                    environment[words[0]] = words[1]
                } else {
                    assignments.append(part)
                }
            }
            do {
                let loaded = try ConfigurationLoader.load(
                    file: ("fuzzed.yaml", parts[0]), environment: environment, assignments: assignments)
                try require(!loaded.report.isEmpty, "nothing to report")
                return "taken, \(loaded.configuration.sources.count) sources"
            } catch let error as ConfigurationError {
                guard let mistake = error.mistakes.first else { throw FuzzFault(description: "no mistake") }
                try require(error.mistakes.allSatisfy { !$0.message.isEmpty }, "a mistake without a word")
                return word(mistake.message)
            }
        }
    }

    /// A time on a command line.
    static func times(share: Double) -> FuzzTarget {
        let tokens = ["2026-", "-24", "T08:30", ":15.5", "Z", "+01:00", "90m", "999999999d", "٣", "٠١", " "]
        let now: Int64 = 1_764_000_000_000_000_000
        return FuzzTarget("times", share: share, tokens: tokens) { input in
            guard let time = PointInTime(String(decoding: input, as: UTF8.self), now: now) else { return "none" }
            return time.nanoseconds < 0 ? "before 1970" : time.nanoseconds > now ? "to come" : "past"
        }
    }
}
