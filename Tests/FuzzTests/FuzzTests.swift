// Every parser of foreign bytes against bytes that nobody would write on purpose.
//
// What is promised: no input ends the process, none takes a second, memory stays, and every refusal has a reason.
//
//     CLUSTERD_FUZZ_INPUTS=1000000 CLUSTERD_FUZZ_SEED=7 CLUSTERD_FUZZ_TARGET=png swift test -c release --filter FuzzTests
//
// An input that fails is printed and saved; put into Corpus/TARGET/, it is tried in every run from then on.

import Foundation
import XCTest

final class FuzzTests: XCTestCase {
    private func corpus(of target: FuzzTarget) throws -> [[UInt8]] {
        let folder = try XCTUnwrap(Bundle.module.resourceURL).appendingPathComponent("Corpus/\(target.name)")
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?.sorted() ?? []
        return try files.map { [UInt8](try Data(contentsOf: folder.appendingPathComponent($0))) } + target.seeds
    }

    func testEveryParserOfForeignBytes() throws {
        let settings = FuzzSettings()
        let targets = try FuzzTarget.all(in: Scratch(self).path)
        XCTAssertEqual(Set(targets.map(\.name)).count, targets.count)
        let wanted = targets.filter { settings.target == nil || settings.target == $0.name }
        XCTAssertFalse(wanted.isEmpty, "there is no target \(settings.target ?? ""): \(targets.map(\.name))")
        let shares = wanted.reduce(0) { $0 + $1.share }
        for target in wanted {
            let fuzzer = Fuzzer(target: target, corpus: try corpus(of: target), settings: settings)
            let report = try fuzzer.run(count: Int(Double(settings.inputs) * target.share / shares))
            print(report)
            XCTAssertGreaterThan(report.outcomes.count, 2, "\(target.name) does the same with every input")
            XCTAssertLessThan(report.growth, settings.megabytes << 20, "\(target.name) leaks")
        }
    }

    func testWhatFailsIsSavedAndTold() throws {
        let target = FuzzTarget("self-test", seeds: [Array("abc".utf8)]) { input in
            try require(!input.contains(UInt8(ascii: "!")), "a promise broken")
            return "fine"
        }
        let fuzzer = Fuzzer(target: target, corpus: target.seeds, settings: FuzzSettings(environment: [:]))
        XCTAssertThrowsError(try fuzzer.run(count: 1_000_000)) { error in
            XCTAssertEqual("\(error)", "self-test: a promise broken")
        }
        let path = FailureRecorder.folder + "/self-test-1"
        let saved = try Data(contentsOf: URL(fileURLWithPath: path))
        XCTAssertTrue(saved.contains(UInt8(ascii: "!")))
        // Only this failure was wanted; those of other tests stay, and the folder with them.
        unlink(path)
        FailureRecorder.end()
    }

    func testTheSameSeedMakesTheSameInputs() {
        func inputs(seed: UInt64) -> [[UInt8]] {
            var mutator = Mutator(seed: seed, tokens: ["token"])
            let pool = [Array(#"{"v":1,"shape":[2,3]}"#.utf8), Array("another".utf8)]
            return (0..<300).map { _ in mutator.input(from: pool) }
        }
        XCTAssertEqual(inputs(seed: 3), inputs(seed: 3))
        XCTAssertNotEqual(inputs(seed: 3), inputs(seed: 4))
        XCTAssertGreaterThan(Set(inputs(seed: 3)).count, 200)
    }
}
