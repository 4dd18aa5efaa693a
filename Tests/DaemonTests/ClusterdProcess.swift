// A process of a program with its lines of output, for tests of what a whole program does.

import Daemon
import Foundation
import XCTest

/// A program that has been started, and what it has said so far.
final class TestProcess: Sendable {
    /// The lines of one stream, and whether it has ended.
    struct Output: Sendable {
        var lines: [String] = []
        var unfinished: [UInt8] = []
        var isClosed = false
    }

    let output: Monitor<Output>
    let errors: Monitor<Output>
    let input: FileHandle
    private let process = Process()

    init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (input, output, errors) = (Pipe(), Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        self.input = input.fileHandleForWriting
        self.output = Monitor(Output())
        self.errors = Monitor(Output())
        try process.run()
        Self.collect(output, into: self.output)
        Self.collect(errors, into: self.errors)
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// Reads a stream to its end on a thread of its own: Foundation's readability handlers now and then miss the end.
    private static func collect(_ pipe: Pipe, into output: Monitor<Output>) {
        let reading = pipe.fileHandleForReading
        WorkerThread(name: "collector") {
            while true {
                let data = reading.availableData
                output.withLock { output in
                    output.unfinished += data
                    while let newline = output.unfinished.firstIndex(of: UInt8(ascii: "\n")) {
                        output.lines.append(String(decoding: output.unfinished[..<newline], as: UTF8.self))
                        output.unfinished.removeFirst(newline + 1)
                    }
                    output.isClosed = data.isEmpty
                }
                if data.isEmpty { return }
            }
        }.start()
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// How long a line is waited for: a sanitized program on a busy machine takes half a minute to start.
    private static let patience = 120.0

    /// The next line from `start` on that holds `text`; nil where the stream ends, or patience does, without one.
    func line(with text: String, in stream: Monitor<Output>, from start: Int = 0) -> String? {
        let deadline = MonotonicTime.now.advanced(bySeconds: Self.patience)
        return stream.wait { output in
            if let line = output.lines.dropFirst(start).first(where: { $0.contains(text) }) { return .done(line) }
            if output.isClosed || MonotonicTime.now >= deadline { return .done(nil) }
            return .wait(until: deadline)
        }
    }

    /// Waits for so many lines of standard output, or for its end.
    func lines(_ count: Int) -> [String] {
        let deadline = MonotonicTime.now.advanced(bySeconds: Self.patience)
        return output.wait { output in
            output.lines.count >= count || output.isClosed || MonotonicTime.now >= deadline
                ? .done(output.lines) : .wait(until: deadline)
        }
    }

    /// Waits for the end and returns the exit code; that of a signal is 128 and its number.
    func wait() -> Int32 {
        process.waitUntilExit()
        for stream in [output, errors] { stream.wait { $0.isClosed ? .done(()) : .wait(until: nil) } }
        return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    }
}

extension TestProcess {
    /// The path of the `clusterd` that was built with these tests.
    static func program() throws -> String {
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let program = folder.appendingPathComponent("clusterd").path
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw CocoaError(.fileNoSuchFile, userInfo: [NSFilePathErrorKey: program])
        }
        return program
    }

    /// Starts the `clusterd` that was built with these tests.
    static func clusterd(_ arguments: [String], environment: [String: String] = [:]) throws -> TestProcess {
        try TestProcess(program(), arguments, environment: environment)
    }

    /// The flags of a small daemon on ports that the system picks.
    static let settings = [
        "--set", "sources.stream.endpoint=tcp://127.0.0.1:*", "sources.queue.endpoint=tcp://127.0.0.1:*",
        "publish.endpoint=tcp://127.0.0.1:*", "control.endpoint=tcp://127.0.0.1:*", "http.listen=127.0.0.1:0",
        "model.architecture=resnet18",
        "model.image_size=32", "model.clusters=4", "train.batch_size=8", "threads=1",
    ]

    /// Starts `clusterd serve` on ports that the system picks, with a small model and its state in `folder`.
    static func serve(
        _ folder: TemporaryFolder, set: [String] = [], arguments: [String] = [], environment: [String: String] = [:]
    ) throws -> TestProcess {
        try clusterd(
            ["serve"] + settings + set + ["--log-level", "debug"] + arguments,
            environment: ["STATE_DIRECTORY": folder.path].merging(environment) { $1 })
    }

    /// The value of `key` in the first line of the log that holds `text`.
    func logged(_ key: String, with text: String) -> String? {
        line(with: text, in: errors)?.split(separator: " ").first { $0.hasPrefix(key + "=") }.map {
            String($0.dropFirst(key.count + 1))
        }
    }
}
