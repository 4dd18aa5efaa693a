// Reloads with the real learner: what is wrong with a file is found and said, and nobody who sends images waits.

import Checkpoints
import ContrastiveClustering
import Daemon
import Foundation
import Safetensors
import StreamProtocol
import Tensors
import XCTest
import ZeroMQ

final class ReloadRealModelTests: XCTestCase {
    private func service(_ change: (inout Configuration) -> Void = { _ in }) throws -> RunningService {
        try RunningService(
            batchSize: 8,
            change: {
                $0.model = ModelSettings(architecture: .resnet18, imageSize: 32, clusters: 4, featureDimension: 16)
                $0.threads = 1
                change(&$0)
            }, makeLearner: { LearnerHandover.cpu($0, configuration: $1) })
    }

    /// A picture whose pixels follow from its number.
    private func picture(_ number: Int) -> [[UInt8]] {
        let pixels = (0..<16 * 16 * 3).map { UInt8(truncatingIfNeeded: ($0 + 7) * (number % 97 + 3) * 31 >> 3) }
        return message(#"{"v":1,"id":"\#(number)","format":"raw","shape":[16,16,3],"dtype":"uint8"}"#, pixels)
    }

    /// Seals a file as a checkpoint's writer does; docs/checkpoints.md.
    private func sealed(_ file: SafetensorsFile) -> [UInt8] {
        var file = file
        file.metadata["checksum"] = String(repeating: "0", count: 64)
        var digest = SHA256()
        digest.update(file.encoded())
        file.metadata["checksum"] = digest.hexadecimal()
        return file.encoded()
    }

    private func float32(_ name: String, _ shape: [Int], _ value: Float) -> NamedTensor {
        NamedTensor(
            name: name, shape: shape, elements: .float32(Array(repeating: value, count: shape.reduce(1, *))))
    }

    /// Twenty-nine files that are no checkpoint of this model, each with words of the reason.
    private func badCheckpoints(
        from good: SafetensorsFile, withMoments whole: SafetensorsFile
    ) -> [(name: String, bytes: [UInt8], reason: String)] {
        let bytes = good.encoded()
        func header(_ json: String) -> [UInt8] {
            withUnsafeBytes(of: UInt64(json.utf8.count).littleEndian, Array.init) + Array(json.utf8)
        }
        func edited(_ change: ([UInt8]) -> [UInt8]) -> [UInt8] { change(bytes) }
        func flipped(_ place: Int) -> [UInt8] {
            var flipped = bytes
            flipped[place] ^= 0x10
            return flipped
        }
        func resealed(_ change: (inout SafetensorsFile) -> Void) -> [UInt8] {
            var file = good
            change(&file)
            return sealed(file)
        }
        func replacing(_ name: String, _ change: @escaping (NamedTensor) -> NamedTensor?) -> [UInt8] {
            resealed { $0.tensors = $0.tensors.compactMap { $0.name == name ? change($0) : $0 } }
        }
        let bias = "cluster_projector.2.bias"
        return [
            ("empty", [], "too few"), ("text", Array("hello, world".utf8), "over the format's limit"),
            ("one byte short", Array(bytes.dropLast()), "cut off"),
            ("half", Array(bytes.prefix(bytes.count / 2)), "cut off"),
            ("header alone", Array(bytes.prefix(9000)), "cut off"),
            ("one byte more", bytes + [0], "1 bytes follow"),
            ("a bit of the data", flipped(bytes.count - 9), "checksum differs"),
            ("a bit of a name", flipped(200), "checksum differs"),
            ("an endless header", [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F] + bytes, "over the format's limit"),
            ("a header beyond the end", header("{}").prefix(8).map { _ in 0x01 } + [1, 2], "over the format's limit"),
            ("nesting", header(String(repeating: "[", count: 100_000)), "does not begin"),
            (
                "overlap",
                header(
                    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
                ) + [0, 0, 0, 0], "overlaps"
            ),
            (
                "a shape beyond counting",
                header(
                    #"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,4]}}"#) + [
                        0, 0, 0, 0,
                    ], "too large"
            ),
            (
                "a negative shape", header(#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#) + [0, 0, 0, 0],
                "not negative"
            ),
            (
                "offsets backwards", header(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#) + [0, 0, 0, 0],
                "in order"
            ),
            (
                "the same name twice",
                header(
                    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#
                ) + [0, 0, 0, 0, 0, 0, 0, 0], "comes twice"
            ),
            (
                "another program's", SafetensorsFile(tensors: good.tensors, metadata: ["format": "pt"]).encoded(),
                "no checksum"
            ),
            ("a later format", resealed { $0.metadata["format"] = "clusterd/9" }, "clusterd/9"),
            ("no step", resealed { $0.metadata["step"] = nil }, "no step"),
            ("other clusters", resealed { $0.metadata["clusters"] = "5" }, "5 clusters"),
            ("another architecture", resealed { $0.metadata["architecture"] = "resnet50" }, "resnet50"),
            ("a shape", replacing(bias) { self.float32($0.name, [5], 0) }, "has shape [5]"),
            ("a tensor missing", replacing(bias) { _ in nil }, "there is no tensor \(bias)"),
            ("not a number", replacing(bias) { self.float32($0.name, $0.shape, .nan) }, "not finite"),
            ("infinite", replacing("resnet.conv1.weight") { self.float32($0.name, $0.shape, .infinity) }, "not finite"),
            (
                "a negative variance", replacing("resnet.bn1.running_var") { self.float32($0.name, $0.shape, -1) },
                "negative"
            ),
            (
                "a negative moment",
                resealed { file in
                    file.tensors = whole.tensors.map {
                        $0.name == "optimizer.v.\(bias)" ? self.float32($0.name, $0.shape, -1) : $0
                    }
                }, "negative"
            ),
            (
                "whole numbers",
                replacing(bias) {
                    NamedTensor(
                        name: $0.name, shape: $0.shape, elements: .int64(Array(repeating: 1, count: $0.elements.count)))
                }, "float32"
            ),
            (
                "overflow",
                resealed { file in
                    file.tensors = file.tensors.map {
                        $0.name.hasPrefix("cluster_projector") && $0.name.hasSuffix("weight")
                            && !$0.name.hasPrefix("optimizer")
                            ? self.float32($0.name, $0.shape, 3e38) : $0
                    }
                }, "not finite"
            ),
            (
                "one answer to everything",
                replacing("cluster_projector.2.weight") {
                    self.float32($0.name, $0.shape, 0)
                }, "the same answer"
            ),
        ]
    }

    func testWhateverIsWrongWithACheckpointIsSaidAndTheOldModelServes() throws {
        let running = try service()
        let client = try running.controlClient()
        var sender = try running.sender()
        for number in 0..<16 { try sender.send(picture(number)) }
        let before = try running.assignments(16)
        _ = try client.ask("pause")
        _ = try client.ask("save")
        let id = try XCTUnwrap(try client.ask("status")["checkpoint.id"]?.text)
        let whole = try SafetensorsFile(path: "\(running.folder.path)/\(id).safetensors")
        let good = SafetensorsFile(
            tensors: whole.tensors.filter { !$0.name.hasPrefix("optimizer.") }, metadata: whole.metadata)
        // The assigner takes in what was learnt last when it has it ready; each heartbeat is a look.
        var status = try client.ask("status")
        let deadline = MonotonicTime.now.advanced(bySeconds: 60)
        while status["model.step"] != status["training.step"], MonotonicTime.now < deadline {
            _ = try running.nextHeartbeat()
            status = try client.ask("status")
        }
        let served = status["model"]

        let path = running.folder.path + "/candidate"
        for (name, bytes, reason) in badCheckpoints(from: good, withMoments: whole) {
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            XCTAssertThrowsError(try client.ask("reload", ["path": .string(path)]), name) {
                XCTAssertEqual(($0 as? ControlFailure)?.code, "refused", "\(name): \($0)")
                XCTAssertTrue("\($0)".contains(reason), "\(name): \($0)")
            }
        }
        try FileManager.default.removeItem(atPath: path)
        XCTAssertEqual(mkfifo(path, 0o600), 0)
        for path in [path, running.folder.path] {
            XCTAssertThrowsError(try client.ask("reload", ["path": .string(path)])) {
                XCTAssertTrue("\($0)".contains("not a regular file"), "\($0)")
            }
        }
        try FileManager.default.removeItem(atPath: path)

        XCTAssertEqual(try client.ask("status")["model"], served)
        for number in 0..<16 { try sender.send(picture(number)) }
        XCTAssertEqual(try running.assignments(16).count, before.count)
        // And what is whole is taken, with or without the optimizer's moments.
        for file in [good, whole] {
            try Data(sealed(file)).write(to: URL(fileURLWithPath: path))
            XCTAssertEqual(try client.ask("reload", ["path": .string(path)])["saved"], .bool(true))
        }
        _ = try client.ask("resume")
        for number in 0..<16 { try sender.send(picture(number)) }
        XCTAssertEqual(try running.assignments(16).map(\.labelEpoch), Array(repeating: 2, count: 16))
    }

    func testImagesAreAnsweredAsFastDuringReloads() throws {
        let reloads = ProcessInfo.processInfo.environment["CLUSTERD_TEST_RELOADS"].flatMap(Int.init) ?? 6
        let running = try service {
            $0.train.batchSize = 16
            $0.checkpoint.keep = 2
        }
        let client = try running.controlClient()
        let (stop, sent) = (Monitor(false), Monitor(0))
        let (sentAll, answered) = (Monitor(false), Monitor(false))
        let queue = running.endpoints.sources[RunningService.queue]
        let pictures = (0..<97).map { picture($0) }
        let load = WorkerThread(name: "load") {
            guard let context = try? ZeroMQContext(linger: .zero), var socket = try? context.socket(.push),
                (try? socket.connect(queue)) != nil
            else { return }
            // A steady hundred a second.
            var due = MonotonicTime.now
            while !stop.read({ $0 }) {
                try? socket.send(pictures[sent.read { $0 } % pictures.count])
                sent.withLock { $0 += 1 }
                due = due.advanced(bySeconds: 0.01)
                stop.wait { $0 || MonotonicTime.now >= due ? .done(()) : .wait(until: due) }
            }
            sentAll.withLock { $0 = true }
            // What the daemon has not read yet goes with the socket.
            answered.wait { $0 ? .done(()) : .wait(until: nil) }
        }
        load.start()
        func latencies(_ assignments: [AssignmentMessage]) -> Double {
            let sorted = assignments.map { Double($0.published - $0.received) * 1e-6 }.sorted()
            return sorted[sorted.count * 99 / 100]
        }
        // The first ones find a learner that has no memory yet.
        let start = try running.assignments(300)
        // For about as long as the reloads take, so that both have the machine's good and bad moments.
        let before = try running.assignments(max(500, 100 * reloads))
        _ = try client.ask("save")
        let id = try XCTUnwrap(try client.ask("status")["checkpoint.id"]?.text)
        // Under a name of its own, since it will not be among those that are kept.
        let path = running.folder.path + "/candidate"
        try FileManager.default.copyItem(atPath: "\(running.folder.path)/\(id).safetensors", toPath: path)

        let done = Monitor(false)
        let endpoint = running.endpoints.control
        let failures = Monitor([String]())
        let operator_ = WorkerThread(name: "operator") {
            do {
                let client = try ControlClient(endpoint)
                for number in 0..<reloads {
                    _ =
                        number % 2 == 0
                        ? try client.ask("reload", ["path": .string(path)]) : try client.ask("rollback")
                }
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
            done.withLock { $0 = true }
        }
        operator_.start()
        var during: [AssignmentMessage] = []
        while !done.read({ $0 }) { during += try running.assignments(1) }
        stop.withLock { $0 = true }
        sentAll.wait { $0 ? .done(()) : .wait(until: nil) }
        during += try running.assignments(sent.read { $0 } - start.count - before.count - during.count)
        answered.withLock { $0 = true }
        load.join()
        XCTAssertEqual(failures.read { $0 }, [])
        let summary = running.service.stop()
        XCTAssertEqual(Int(summary.assigned), sent.read { $0 }, "every image is answered, once")
        let numbers = (start + before + during).map(\.sequence)
        XCTAssertEqual(numbers, Array(1...UInt64(numbers.count)))
        XCTAssertEqual(during.map(\.labelEpoch).max(), reloads)
        let (first, second) = (latencies(before), latencies(during))
        print("p99 of receive-to-publish: \(first) ms before, \(second) ms during \(reloads) reloads")
        // Where others use the machine too, what is promised beside a training step: p99 under 250 ms. Beside another
        // training process 198 ms were seen after 91.
        XCTAssertLessThan(second, max(2 * first, 250), "p99 \(first) ms before")
    }
}
