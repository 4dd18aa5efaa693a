// The learner as the daemon uses it: reproducible, resumable bit for bit, safe against broken input, and it learns.

import ContrastiveClustering
import Imaging
import Tensors
import XCTest

final class CPULearnerTests: XCTestCase {
    private static let model = ModelSettings(
        architecture: .resnet18, imageSize: 32, clusters: 4, featureDimension: 16)

    private func learner(
        _ role: CPULearner.Role = .training, batch: Int = 8, heads: Heads = .both, views: Views = .both,
        learningRate: Float = 3e-4, seed: UInt64 = 42, threads: Int = 2
    ) -> CPULearner {
        CPULearner(
            model: Self.model,
            training: TrainingSettings(
                batchSize: batch, learningRate: learningRate, views: views, heads: heads, jitter: 0.5, seed: seed),
            role: role, threads: threads)
    }

    /// Pictures of four kinds: one of four colours in front of noise, of differing sizes.
    private func images(_ count: Int, seed: UInt64 = 1) -> [RGBImage] {
        var random = RandomSource(seed: seed)
        let colours: [[Float]] = [[220, 40, 40], [40, 200, 60], [50, 60, 220], [230, 220, 60]]
        return (0..<count).map { index in
            let (width, height) = (30 + index % 7, 28 + index % 5)
            let colour = colours[index % 4]
            let pixels = (0..<width * height * 3).map { position in
                UInt8(min(max(colour[position % 3] + 20 * random.normal(), 0), 255))
            }
            return RGBImage(width: width, height: height, pixels: pixels)
        }
    }

    func testTheSameSeedGivesTheSameRun() {
        let images = images(8)
        let (a, b) = (learner(), learner())
        for step in 1...3 {
            let report = a.train(images)
            XCTAssertEqual(report, b.train(images))
            XCTAssertEqual(report.step, UInt64(step))
        }
        XCTAssertEqual(a.exportState(), b.exportState())
        XCTAssertEqual(a.assign(images, embedding: .instance), b.assign(images, embedding: .instance))
        XCTAssertNotEqual(learner(seed: 43).train(images), learner().train(images))
    }

    func testLossesBeginAtTheLogarithms() {
        let report = learner(batch: 32).train(images(32))
        XCTAssertEqual(report.losses.instance, Float(4.143), accuracy: 0.35)  // ln(2 · 32 − 1)
        XCTAssertEqual(report.losses.cluster, Float(1.946), accuracy: 0.15)  // ln(2 · 4 − 1)
        XCTAssertEqual(report.losses.entropy, 0, accuracy: 0.2)
        XCTAssertEqual(report.meanAssignment.reduce(0, +), 1, accuracy: 1e-5)
    }

    func testAResumedRunGoesOnBitForBit() throws {
        for heads in [Heads.both, .instance] {
            let batches = (0..<3).map { images(8, seed: UInt64($0)) }
            let straight = learner(heads: heads)
            _ = straight.train(batches[0])
            let state = straight.exportState()
            // Another seed and steps of its own, all of which the state replaces.
            let resumed = learner(heads: heads, seed: 7)
            _ = resumed.train(batches[2])
            try resumed.importState(state)
            XCTAssertEqual(resumed.exportState(), state)
            for batch in batches.dropFirst() { XCTAssertEqual(resumed.train(batch), straight.train(batch)) }
            XCTAssertEqual(resumed.exportState(), straight.exportState())
        }
    }

    func testAStepWhoseGradientsAreNotFiniteTeachesNothing() throws {
        let learner = learner()
        _ = learner.train(images(8))
        var state = learner.exportState()
        // The instance vectors' directions, and so the losses, stay what they are when one layer's weights are as small as the
        // other's are large; the gradient of the small ones is beyond any number.
        let tiny = Float.leastNonzeroMagnitude * 20_000
        let factors: [String: Float] = [
            "instance_projector.0.weight": 1e33, "instance_projector.0.bias": 1e33,
            "instance_projector.2.weight": tiny, "instance_projector.2.bias": 0,
        ]
        state.tensors = state.tensors.map { tensor in
            guard let factor = factors[tensor.name], case .float32(let values) = tensor.elements else { return tensor }
            return NamedTensor(
                name: tensor.name, shape: tensor.shape, elements: .float32(values.map { $0 * factor }))
        }
        try learner.importState(state)
        let before = learner.exportState()
        let report = learner.train(images(8))
        XCTAssertTrue(report.losses.total.isFinite, "\(report.losses)")
        XCTAssertFalse(report.gradientsAreFinite)
        XCTAssertFalse(report.isFinite)
        XCTAssertTrue(learner.exportState() == before, "weights, moments, statistics and step are those of before")
    }

    func testAStateWithoutMomentsHasThemBeginAnew() throws {
        let trained = learner()
        for _ in 0..<3 { _ = trained.train(images(8)) }
        var state = trained.exportState()
        state.tensors.removeAll { $0.name.hasPrefix("optimizer.") }
        let resumed = learner()
        _ = resumed.train(images(8, seed: 5))
        try resumed.importState(state)
        _ = resumed.train(images(8))
        let later = resumed.exportState()
        XCTAssertEqual(later.step, 4)
        XCTAssertEqual(
            later.tensors.first { $0.name == "optimizer.step" }?.elements, .int64([1]), "updates that moments have seen"
        )
        // What it exports is gone on with bit for bit.
        let another = learner()
        try another.importState(later)
        XCTAssertEqual(another.train(images(8)), resumed.train(images(8)))
        XCTAssertTrue(another.exportState() == resumed.exportState())
    }

    func testWhatIsLearntDoesNotDependOnWhatIsMadeAhead() throws {
        for (heads, views) in [(Heads.both, Views.both), (.instance, .one)] {
            let plain = learner(heads: heads, views: views), ahead = learner(heads: heads, views: views)
            let batches = (0..<6).map { images($0 == 4 ? 12 : $0 == 5 ? 5 : 8, seed: UInt64($0)) }
            // As foretold; another one; one that is larger than planned for; then a smaller one.
            for (now, next) in [(0, 1), (1, 2), (3, 4), (4, 5), (5, 0), (0, nil)] {
                let report = ahead.train(batches[now], next: next.map { batches[$0] } ?? [])
                XCTAssertEqual(report, plain.train(batches[now]), "\(heads), \(now)")
            }
            // A state of another seed is taken in between.
            let state = learner(heads: heads, views: views, seed: 7).exportState()
            _ = ahead.train(batches[1], next: batches[2])
            _ = plain.train(batches[1])
            try ahead.importState(state)
            try plain.importState(state)
            XCTAssertEqual(ahead.train(batches[2], next: batches[3]), plain.train(batches[2]))
            XCTAssertEqual(ahead.exportState(), plain.exportState())
            // It ends while views are being made.
        }
    }

    func testAfterAStepThatTaughtNothingTheNextOneHasItsNumber() {
        let plain = learner(), ahead = learner()
        let good = plain.snapshot(), images = images(8), next = self.images(8, seed: 2)
        var broken = good.values
        broken[64] = .nan
        ahead.adopt(WeightSnapshot(step: good.step, values: broken))
        XCTAssertFalse(ahead.train(images, next: next).losses.total.isFinite)
        ahead.adopt(good)
        XCTAssertEqual(ahead.train(next), plain.train(next))
    }

    func testASnapshotMakesTheAssignerAgree() {
        for heads in [Heads.both, .instance] {
            let images = images(9)
            let trainer = learner(heads: heads), assigner = learner(.assigning, heads: heads)
            XCTAssertEqual(trainer.assign(images, embedding: .none), assigner.assign(images, embedding: .none))
            _ = trainer.train(images)
            XCTAssertNotEqual(trainer.assign(images, embedding: .none), assigner.assign(images, embedding: .none))
            assigner.adopt(trainer.snapshot())
            XCTAssertEqual(trainer.assign(images, embedding: .feature), assigner.assign(images, embedding: .feature))
            XCTAssertEqual(assigner.snapshot().step, 1)
        }
    }

    func testAssignmentsDoNotDependOnTheCompany() {
        let learner = learner()
        let images = images(300)
        _ = learner.train(Array(images[..<8]))
        let together = learner.assign(images, embedding: .instance)
        XCTAssertEqual(together.count, 300)
        XCTAssertEqual(learner.assign([], embedding: .none), [])
        for index in [0, 7, 255, 256, 299] {
            let alone = learner.assign([images[index]], embedding: .instance)[0]
            XCTAssertEqual(alone.cluster, together[index].cluster)
            XCTAssertEqual(alone.confidence, together[index].confidence, accuracy: 1e-5)
        }
        for assignment in together {
            XCTAssertEqual(assignment.probabilities.reduce(0, +), 1, accuracy: 1e-5)
            XCTAssertEqual(assignment.confidence, assignment.probabilities[assignment.cluster])
            XCTAssertEqual(assignment.confidence, assignment.probabilities.max())
            XCTAssertEqual(assignment.embedding?.reduce(0) { $0 + $1 * $1 } ?? 0, 1, accuracy: 1e-5)
        }
        XCTAssertEqual(learner.assign([images[0]], embedding: .feature)[0].embedding?.count, 512)
    }

    func testLearningLowersTheLoss() {
        for heads in Heads.allCases {
            let learner = learner(heads: heads, views: .one, learningRate: 1e-3)
            let images = images(8)
            let first = learner.train(images).losses
            var last = first
            for _ in 0..<7 { last = learner.train(images).losses }
            XCTAssertLessThan(last.total, first.total - 0.1, "\(heads)")
            XCTAssertEqual(heads == .instance, last.cluster == 0)
            XCTAssertEqual(heads == .cluster, last.instance == 0)
        }
    }

    func testPlainViewsAreEqual() {
        // x + x: both views of an image agree, so the instance loss is the lowest that the temperature permits.
        let plain = learner(views: .none).train(images(8)).losses.instance
        let one = learner(views: .one).train(images(8)).losses.instance
        XCTAssertLessThan(plain, one)
    }

    func testFeatureClustersFindTheColours() throws {
        let learner = learner(batch: 32, heads: .instance)
        _ = learner.train(images(32))
        let test = images(80, seed: 99)
        let clusters = learner.assign(test, embedding: .none).map(\.cluster)
        let scores = try XCTUnwrap(ClusteringScores(labels: (0..<80).map { $0 % 4 }, clusters: clusters))
        XCTAssertGreaterThan(scores.accuracy, 0.9)
    }

    func testASmallerBatchAndALargerOneAreTrainedToo() {
        let learner = learner(batch: 8)
        for (step, count) in [8, 5, 12, 2].enumerated() {
            XCTAssertTrue(learner.train(images(count)).losses.total.isFinite)
            XCTAssertEqual(learner.snapshot().step, UInt64(step + 1))
        }
    }

    func testAStepWithoutFiniteLossesTeachesNothing() {
        let learner = learner()
        _ = learner.train(images(8))
        let before = learner.exportState()
        let (good, parameters) = (learner.snapshot(), 64)
        var broken = good.values
        broken[parameters] = .nan
        learner.adopt(WeightSnapshot(step: good.step, values: broken))
        let report = learner.train(images(8))
        XCTAssertFalse(report.losses.total.isFinite)
        learner.adopt(good)
        XCTAssertEqual(learner.exportState(), before)
    }

    func testAnUnfitStateChangesNothing() throws {
        let learner = learner()
        _ = learner.train(images(8))
        let before = learner.exportState()
        func reject(_ expected: String, line: UInt = #line, _ change: (inout LearnerState) -> Void) {
            var state = before
            change(&state)
            XCTAssertThrowsError(try learner.importState(state), line: line) { error in
                XCTAssertTrue("\(error)".contains(expected), "\(error)", line: line)
            }
            XCTAssertEqual(learner.exportState(), before, line: line)
        }
        let name = "cluster_projector.2.bias"
        let index = try XCTUnwrap(before.tensors.firstIndex { $0.name == name })
        reject("no tensor \(name)") { $0.tensors.remove(at: index) }
        reject("shape [5]") {
            $0.tensors[index] = NamedTensor(name: name, shape: [5], elements: .float32(.init(repeating: 0, count: 5)))
        }
        reject("float32") { $0.tensors[index] = NamedTensor(name: name, shape: [4], elements: .int64([1, 2, 3, 4])) }
        reject("not finite") {
            $0.tensors[index] = NamedTensor(name: name, shape: [4], elements: .float32([0, .nan, 0, 0]))
        }
        reject("two tensors") { $0.tensors.append($0.tensors[index]) }
        reject("random state") { $0.random = "dice" }
        let moment = try XCTUnwrap(before.tensors.firstIndex { $0.name == "optimizer.v.\(name)" })
        reject("optimizer.v.\(name)") { $0.tensors.remove(at: moment) }
        reject("negative") {
            $0.tensors[moment] = NamedTensor(
                name: "optimizer.v.\(name)", shape: [4], elements: .float32([0, -1, 0, 0]))
        }
    }

    func testTheStateIsWhatPyTorchLoads() {
        let learner = learner()
        _ = learner.train(images(8))
        let state = learner.exportState()
        let weights = state.tensors.filter { !$0.name.hasPrefix("optimizer.") }
        // ResNet-18 has 20 convolutions and as many batch norms of five arrays; the heads have four linear layers.
        XCTAssertEqual(weights.count, 20 + 20 * 5 + 4 * 2)
        XCTAssertEqual(weights.first { $0.name == "resnet.conv1.weight" }?.shape, [64, 3, 7, 7])
        let counter = weights.first { $0.name == "resnet.layer4.1.bn2.num_batches_tracked" }
        XCTAssertEqual(
            counter, NamedTensor(name: "resnet.layer4.1.bn2.num_batches_tracked", shape: [], elements: .int64([2])))
        for (name, shape) in learner.requiredTensors {
            XCTAssertEqual(state.tensors.first { $0.name == name }?.shape, shape, name)
        }
    }
}
