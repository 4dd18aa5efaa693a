// Tries a target with its corpus and with what the mutator makes of it, and watches time and memory.
//
// Inputs whose outcome has not been seen before join those that further ones are made of: what a run without instrumented
// code can know of the paths that it has taken.

import Foundation

/// How much is tried, by the environment.
struct FuzzSettings {
    /// The inputs of all targets together.
    var inputs = 60_000
    var seed: UInt64 = 1
    /// Processor seconds that one input may take.
    var seconds = 1
    /// MiB that memory may grow by: allocators keep some of what they are given back, sanitizers' much.
    var megabytes = 48
    /// The only target that is wanted; nil is all.
    var target: String?

    init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        func number<Number: FixedWidthInteger>(_ name: String, _ fallback: Number) -> Number {
            guard let text = environment[name] else { return fallback }
            guard let number = Number(text), number > 0 else { fatalError("\(name) is no positive number: \(text)") }
            return number
        }
        inputs = number("CLUSTERD_FUZZ_INPUTS", inputs)
        seed = number("CLUSTERD_FUZZ_SEED", seed)
        seconds = number("CLUSTERD_FUZZ_SECONDS", seconds)
        megabytes = number("CLUSTERD_FUZZ_MEGABYTES", megabytes)
        target = environment["CLUSTERD_FUZZ_TARGET"]
    }
}

/// What came of a run.
struct FuzzReport: CustomStringConvertible {
    let target: String
    var inputs = 0
    var outcomes: Set<String> = []
    /// Resident bytes gained after the first tenth of the inputs, without those of the inputs that were kept.
    var growth = 0
    var time = Duration.zero

    var description: String {
        let rate = Double(inputs) / (time / .seconds(1))
        return "fuzz \(target): \(inputs) inputs, \(outcomes.count) outcomes, \(time), \(Int(rate)) a second, "
            + "memory \(growth >= 0 ? "+" : "")\(growth >> 10) KiB"
    }
}

/// One target's run.
struct Fuzzer {
    let target: FuzzTarget
    let corpus: [[UInt8]]
    let settings: FuzzSettings

    /// Outcomes that are told apart, and inputs kept for them, at most.
    private static let largestPool = 2_000

    /// Tries the corpus, and `count` inputs made of it.
    ///
    /// - Throws: `FuzzFault`, with the input saved.
    func run(count: Int) throws -> FuzzReport {
        precondition(!corpus.isEmpty, "\(target.name) has nothing to begin with")
        try FailureRecorder.begin(target: target.name, seed: settings.seed, seconds: settings.seconds)
        defer { FailureRecorder.end() }
        var report = FuzzReport(target: target.name)
        var pool = corpus
        var mutator = Mutator(seed: settings.seed, tokens: target.tokens)
        var memory = 0
        let start = ContinuousClock.now
        for input in corpus { report.outcomes.insert(try outcome(of: input)) }
        for number in 0..<count {
            if number == count / 10 { memory = Self.residentBytes }
            var input = mutator.input(from: pool)
            if let repair = target.repair, !mutator.oneIn(4) { repair(&input) }
            let outcome = try outcome(of: input)
            if report.outcomes.count < Self.largestPool, report.outcomes.insert(outcome).inserted {
                pool.append(input)
                memory += input.count
            }
        }
        report.inputs = corpus.count + count
        report.growth = Self.residentBytes - memory
        report.time = .now - start
        return report
    }

    private func outcome(of input: [UInt8]) throws -> String {
        FailureRecorder.record(input)
        do {
            return try target.check(input)
        } catch {
            FailureRecorder.tell()
            throw FuzzFault(description: "\(target.name): \(error)")
        }
    }

    /// proc_pid_statm(5).
    private static var residentBytes: Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
            let pages = Int(text.split(separator: " ")[1])
        else { return 0 }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
