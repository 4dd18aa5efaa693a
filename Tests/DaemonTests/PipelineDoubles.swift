// What the pipeline's tests stand on: a learner, an intake and an output that are simple, deterministic and observable.

import ContrastiveClustering
import Daemon
import Foundation
import Imaging
import Logging
import StreamProtocol
import Tensors
import XCTest

/// A gate that the work of a `BrightnessLearner` passes; closed, it makes a piece of it last until it is opened.
final class Gate: Sendable {
    private let state: Monitor<(isOpen: Bool, waiting: Int)>

    init(isOpen: Bool) { state = Monitor((isOpen, 0)) }

    func close() { state.withLock { $0.isOpen = false } }

    func open() { state.withLock { $0.isOpen = true } }

    func pass() {
        state.withLock { $0.waiting += 1 }
        state.wait { $0.isOpen ? .done(()) : .wait(until: nil) }
        state.withLock { $0.waiting -= 1 }
    }

    /// Waits until somebody stands at the gate.
    func waitForArrival() { state.wait { $0.waiting > 0 ? .done(()) : .wait(until: nil) } }
}

/// What a `BrightnessLearner` was asked to do, visible from the test's thread.
final class LearnerRecord: Sendable {
    struct Entry: Sendable, Equatable {
        /// The first pixel of each image.
        var batch: [UInt8]
        var loss: Float
        /// The first pixel of each image that it was told would come next.
        var next: [UInt8] = []
    }

    private let entries = Monitor([Entry]())
    private let batches = Monitor([Int]())
    private let learningRate = Monitor(Float(0))

    var trained: [Entry] { entries.read { $0 } }
    var assignedBatches: [Int] { batches.read { $0 } }

    func addLearningRate(_ rate: Float) { learningRate.withLock { $0 = rate } }
    func waitForLearningRate(_ rate: Float) { learningRate.wait { $0 == rate ? .done(()) : .wait(until: nil) } }
    func addTraining(_ entry: Entry) { entries.withLock { $0.append(entry) } }
    func addAssigning(_ count: Int) { batches.withLock { $0.append(count) } }

    func waitForTrained(_ count: Int) { entries.wait { $0.count >= count ? .done(()) : .wait(until: nil) } }
}

/// A learner that clusters by mean brightness; training moves one weight towards the mini-batch's mean, so that losses
/// depend on the order of all images before.
final class BrightnessLearner: Learner {
    let clusters: Int
    let record: LearnerRecord
    let gate: Gate
    let assigningGate: Gate
    let brokenSteps: Set<UInt64>
    private(set) var step: UInt64 = 0
    private(set) var weight: Float = 0
    /// Added to cluster numbers, as another model has others. At −1 all images go to one cluster; what is no number makes
    /// outputs that are none either.
    private(set) var rotation: Float = 0

    init(
        clusters: Int = 4, record: LearnerRecord = .init(), gate: Gate = .init(isOpen: true),
        assigningGate: Gate = .init(isOpen: true), brokenSteps: Set<UInt64> = []
    ) {
        self.clusters = clusters
        self.record = record
        self.gate = gate
        self.assigningGate = assigningGate
        self.brokenSteps = brokenSteps
    }

    private func mean(_ image: RGBImage) -> Float {
        Float(image.pixels.reduce(0) { $0 + Int($1) }) / Float(image.pixels.count)
    }

    func train(_ images: [RGBImage], next: [RGBImage]) -> StepReport {
        gate.pass()
        step += 1
        for image in images { weight = weight * 0.9 + mean(image) * 0.1 }
        let loss = brokenSteps.contains(step) ? Float.nan : weight
        record.addTraining(
            .init(batch: images.map { $0.pixels[0] }, loss: loss, next: next.map { $0.pixels[0] }))
        return StepReport(
            step: step, losses: Losses(instance: loss, cluster: 0, entropy: 0),
            meanAssignment: Array(repeating: 1 / Float(clusters), count: clusters))
    }

    func setLearningRate(_ rate: Float) { record.addLearningRate(rate) }

    func assign(_ images: [RGBImage], embedding: EmbeddingKind) -> [Assignment] {
        assigningGate.pass()
        record.addAssigning(images.count)
        return images.map { image in
            let plain = min(clusters - 1, Int(mean(image)) * clusters / 256)
            let cluster = rotation == -1 ? 0 : (plain + (rotation.isFinite ? Int(rotation) : 0)) % clusters
            let certainty = rotation == -1 ? 1 - mean(image) / 10_000 : rotation.isFinite ? 1 : rotation
            let probabilities = (0..<clusters).map { $0 == cluster ? certainty : 0 }
            return Assignment(
                cluster: cluster, confidence: certainty, probabilities: probabilities,
                embedding: embedding == .none ? nil : [weight, 1])
        }
    }

    func snapshot() -> WeightSnapshot { WeightSnapshot(step: step, values: [weight, rotation]) }

    func adopt(_ snapshot: WeightSnapshot) {
        step = snapshot.step
        weight = snapshot.values[0]
        rotation = snapshot.values[1]
    }

    func exportState() -> LearnerState {
        LearnerState(
            step: step,
            tensors: [
                NamedTensor(name: "weight", shape: [1], elements: .float32([weight])),
                NamedTensor(name: "rotation", shape: [1], elements: .float32([rotation])),
            ], random: "0 0 0 1")
    }

    func importState(_ state: LearnerState) throws {
        guard case .float32(let values)? = state.tensors.first(where: { $0.name == "weight" })?.elements,
            values.count == 1
        else { throw StateMismatch("no tensor weight of one element") }
        step = state.step
        weight = values[0]
        if case .float32(let values)? = state.tensors.first(where: { $0.name == "rotation" })?.elements {
            rotation = values[0]
        }
    }
}

/// Keeps what the pipeline says.
final class MemoryOutput: PipelineOutput {
    struct Rejection: Sendable, Equatable {
        var source: String
        var id: String?
        var reason: String
    }

    private let assignments = Monitor([NumberedAssignment]())
    let relabelings = Monitor([RelabelingMessage]())
    private let rejections = Monitor([Rejection]())

    func publish(_ batch: [NumberedAssignment]) -> AssignmentNumbering {
        assignments.withLock { $0 += batch }
        return AssignmentNumbering(epoch: batch.last!.epoch, last: batch.last!.sequence)
    }

    func publish(_ relabeling: RelabelingMessage) { relabelings.withLock { $0.append(relabeling) } }

    func reject(source: String, id: String?, reason: String) {
        rejections.withLock { $0.append(Rejection(source: source, id: id, reason: reason)) }
    }

    var published: [NumberedAssignment] { assignments.read { $0 } }
    var rejected: [Rejection] { rejections.read { $0 } }

    func waitForPublished(_ count: Int) {
        assignments.wait { $0.count >= count ? .done(()) : .wait(until: nil) }
    }
    func waitForRejected(_ count: Int) {
        rejections.wait { $0.count >= count ? .done(()) : .wait(until: nil) }
    }
}

/// Keeps the lines that are logged.
struct MemoryLog: LogHandler {
    let lines: Monitor<[String]>
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .debug

    static func logger() -> (Logger, Monitor<[String]>) {
        let lines = Monitor([String]())
        return (Logger(label: "test") { _ in MemoryLog(lines: lines) }, lines)
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let details = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        lines.withLock { $0.append("\(event.level): \(event.message)\(details)") }
    }
}

/// A 2 x 2 grey picture as raw bytes; a payload of another size stands for one that cannot be decoded.
func grey(_ value: UInt8, source: String = "cam", id: String? = nil, label: Label? = nil) -> IncomingImage {
    IncomingImage(
        source: source, id: id, received: 1, label: label,
        encoding: .raw(height: 2, width: 2, channels: 1, color: .gray),
        payload: [value, value, value, value])
}

/// An image whose payload cannot be decoded.
func unreadable(source: String = "cam", id: String? = nil) -> IncomingImage {
    IncomingImage(source: source, id: id, received: 1, encoding: .file(format: nil), payload: [1, 2, 3])
}

/// Pixels of what `grey` made.
func decodeGrey(_ image: IncomingImage) throws(UnreadableImage) -> RGBImage {
    guard image.payload.count == 4 else { throw UnreadableImage(reason: "not-an-image") }
    return RGBImage(width: 2, height: 2, pixels: image.payload.flatMap { [$0, $0, $0] })
}
