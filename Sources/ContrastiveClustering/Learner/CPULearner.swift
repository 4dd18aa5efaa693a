// The learner that runs on the processor's cores.
//
// All draws of a step follow from the seed, the step's number, the image's place in the mini-batch and the view, so they do
// not depend on which thread makes which view, and a run that is resumed goes on as if it had never stopped. What a run
// computes is the same bit for bit for the same seed, images and number of threads.

import Imaging
import NeuralNetwork
import Tensors

/// Contrastive Clustering on the CPU.
public final class CPULearner: Learner {
    /// What a learner is for, and so which memory it needs.
    public enum Role: Sendable {
        /// Training and assigning; keeps the optimizer's moments.
        case training
        /// Assigning alone.
        case assigning
    }

    /// The model's shape.
    public let modelSettings: ModelSettings
    /// How it is trained.
    public let trainingSettings: TrainingSettings

    private let compute: Compute
    private let model: ContrastiveModel
    private let recipe: ViewRecipe
    private let views: ViewMaker
    /// From the first step on that is told of the next mini-batch.
    private var viewsAhead: ViewsAhead?
    private let niceness: Int
    private var seed: UInt64
    private var step: UInt64 = 0
    /// Only in a learner that trains.
    private let optimizer: Adam?
    /// Only where the cluster head is not trained.
    private var featureClusters: FeatureClusters?
    private var trainingPass: TrainingPass?
    private var evaluationPass: EvaluationPass?
    private var evaluationIsPrepared = false

    /// Creates a learner with initial weights drawn from the settings' seed.
    ///
    /// - Parameters:
    ///   - threads: how many threads work on a step, the calling one among them; 0 for one a core.
    ///   - niceness: the scheduling priority of the threads that are started, see `ThreadPool`.
    public init(
        model settings: ModelSettings, training: TrainingSettings = TrainingSettings(), role: Role = .training,
        threads: Int = 0, niceness: Int = 0
    ) {
        precondition(threads >= 0 && training.batchSize >= 2)
        modelSettings = settings
        trainingSettings = training
        compute = Compute(threads: threads > 0 ? threads : ThreadPool.processorCount, niceness: niceness)
        seed = training.seed
        model = ContrastiveModel(settings)
        model.initialize(seed: seed, compute)
        recipe = ViewRecipe(side: settings.imageSize, settings: training)
        views = ViewMaker(recipe, threads: compute.pool.threadCount)
        self.niceness = niceness
        optimizer =
            role == .training
            ? Adam(count: model.weights.parameters.count, learningRate: training.learningRate) : nil
        if training.heads == .instance {
            featureClusters = FeatureClusters(clusters: settings.clusters, dimension: model.featureCount)
        }
    }

    // MARK: Training

    /// One step. Where its losses or gradients are not finite, nothing is learnt from it and its number is given to the next
    /// one.
    ///
    /// The views of `next` are made meanwhile, by a thread of lower priority, as those of the step after this one.
    public func train(_ images: [RGBImage], next: [RGBImage]) -> StepReport {
        guard let optimizer else { preconditionFailure("a learner for assigning does not train") }
        precondition(images.count >= 2, "a mini-batch has two images or more")
        let pass = trainingPass(for: images.count)
        let number = step + 1
        makeViews(of: ViewSource(images: images, seed: seed, step: number), for: pass)
        beginViews(of: ViewSource(images: next, seed: seed, step: number + 1), pass)

        let statistics = model.weights.statistics.values
        let losses = pass.forward(count: images.count, compute)
        var report = StepReport(step: number, losses: losses, meanAssignment: meanAssignment(pass, images.count))
        func forget() { model.weights.statistics.base.update(from: statistics, count: statistics.count) }
        guard losses.total.isFinite else {
            forget()
            return report
        }
        pass.backward(count: images.count, compute)
        guard pass.gradients.isFinite(compute) else {
            forget()
            report.gradientsAreFinite = false
            return report
        }
        optimizer.update(model.weights.parameters, gradients: pass.gradients, compute)
        step = number
        evaluationIsPrepared = false
        followFeatures(of: images)
        return report
    }

    /// Has later steps take this rate; nothing happens in a learner for assigning.
    public func setLearningRate(_ rate: Float) { optimizer?.learningRate = rate }

    private func makeViews(of source: ViewSource, for pass: TrainingPass) {
        if let viewsAhead, viewsAhead.finish(source, with: views, on: compute.pool) {
            swap(&viewsAhead.pictures, &pass.pictures)
        } else {
            views.makeTrainingViews(pass.views(count: source.images.count), of: source, compute.pool)
        }
    }

    private func beginViews(of source: ViewSource, _ pass: TrainingPass) {
        guard (1...pass.batch).contains(source.images.count) else { return }
        if viewsAhead?.pictures.batch != pass.batch {
            viewsAhead = nil
            viewsAhead = ViewsAhead(recipe, batch: pass.batch, niceness: niceness)
        }
        viewsAhead?.begin(source)
    }

    private func trainingPass(for count: Int) -> TrainingPass {
        if let trainingPass, trainingPass.batch >= count { return trainingPass }
        // Freed before its successor is allocated.
        trainingPass = nil
        let pass = TrainingPass(model, batch: max(count, trainingSettings.batchSize), settings: trainingSettings.losses)
        trainingPass = pass
        return pass
    }

    private func meanAssignment(_ pass: TrainingPass, _ count: Int) -> [Float] {
        let clusters = modelSettings.clusters
        var sums = [Double](repeating: 0, count: clusters)
        var row = [Float](repeating: 0, count: clusters)
        let probabilities = pass.probabilities(count: count), features = pass.features(count: count)
        for index in 0..<2 * count {
            if let featureClusters {
                featureClusters.probabilities(&row, of: features.data + index * model.featureCount)
                for cluster in 0..<clusters { sums[cluster] += Double(row[cluster]) }
            } else {
                for cluster in 0..<clusters { sums[cluster] += Double(probabilities.data[index * clusters + cluster]) }
            }
        }
        return sums.map { Float($0 / Double(2 * count)) }
    }

    /// Where k-means gives the clusters: has it see the features of what was just trained on.
    private func followFeatures(of images: [RGBImage]) {
        guard featureClusters?.wantsFeatures(at: step, batch: images.count) == true else { return }
        var features: [Float] = []
        evaluate(images) { pass, range in features += pass.features.prefix(range.count).values }
        // No image has this index, so these draws are those of no view.
        featureClusters?.remember(features, at: step, random: RandomSource(seed: seed, stream: step, .max))
    }

    // MARK: Assigning

    /// The cluster of each image, in evaluation mode; any number of images, a bounded number at a time.
    public func assign(_ images: [RGBImage], embedding: EmbeddingKind) -> [Assignment] {
        let clusters = modelSettings.clusters
        var assignments: [Assignment] = []
        assignments.reserveCapacity(images.count)
        evaluate(images) { pass, range in
            for row in 0..<range.count {
                let feature = pass.features.row(row), instance = pass.instances.row(row)
                var probabilities = [Float](repeating: 0, count: clusters)
                if let featureClusters {
                    featureClusters.probabilities(&probabilities, of: feature.baseAddress!)
                } else {
                    probabilities = Array(pass.probabilities.row(row))
                }
                var cluster = 0
                for other in 1..<clusters where probabilities[other] > probabilities[cluster] { cluster = other }
                let vector: [Float]? =
                    switch embedding {
                    case .none: nil
                    case .feature: Array(feature)
                    case .instance: Array(instance)
                    }
                assignments.append(
                    Assignment(
                        cluster: cluster, confidence: probabilities[cluster], probabilities: probabilities,
                        embedding: vector))
            }
        }
        return assignments
    }

    /// Calls `body` after each evaluation pass with the range of images that it was over.
    private func evaluate(_ images: [RGBImage], _ body: (EvaluationPass, Range<Int>) -> Void) {
        guard !images.isEmpty else { return }
        let pass = evaluationPass ?? EvaluationPass(model, batch: Self.evaluationBatch(side: modelSettings.imageSize))
        evaluationPass = pass
        if !evaluationIsPrepared { prepare(pass) }
        for start in stride(from: 0, to: images.count, by: pass.batch) {
            let range = start..<min(start + pass.batch, images.count)
            views.makePlainViews(pass.x, of: images[range], compute.pool)
            pass.forward(count: range.count, compute)
            body(pass, range)
        }
    }

    private func prepare(_ pass: EvaluationPass) {
        pass.prepare(compute)
        evaluationIsPrepared = true
    }

    /// Images in an evaluation pass: enough to keep the products large, few enough to bound the memory.
    private static func evaluationBatch(side: Int) -> Int { min(max(32 * 224 * 224 / (side * side), 32), 256) }

    // MARK: Weights

    /// A copy of the weights, and of the centroids where k-means gives the clusters.
    public func snapshot() -> WeightSnapshot {
        let values = model.weights.flattened
        return WeightSnapshot(step: step, values: featureClusters.map { values + $0.flattened } ?? values)
    }

    /// Assigns with the weights of `snapshot`, which is of a model of the same settings, from now on.
    public func adopt(_ snapshot: WeightSnapshot) {
        let count = model.weights.parameters.count + model.weights.statistics.count
        if featureClusters == nil {
            model.weights.restore(flattened: snapshot.values)
        } else {
            model.weights.restore(flattened: Array(snapshot.values.prefix(count)))
            featureClusters?.adopt(snapshot.values.dropFirst(count))
        }
        step = snapshot.step
        evaluationIsPrepared = false
        // At once, so that the next image does not wait for it.
        if let evaluationPass { prepare(evaluationPass) }
    }

    // MARK: State

    /// Frees what steps and evaluations work in; a later one allocates it anew.
    public func releaseWorkingMemory() {
        viewsAhead = nil
        trainingPass = nil
        evaluationPass = nil
        evaluationIsPrepared = false
    }

    /// Weights, moments, step and seed: all that a run needs to go on bit for bit.
    public func exportState() -> LearnerState {
        let tensors =
            model.exported(steps: step) + (optimizer?.exported(model.weights.layout, steps: step) ?? [])
            + (featureClusters?.exported() ?? [])
        return LearnerState(step: step, tensors: tensors, random: String(seed))
    }

    /// Goes on where `state` was exported; its seed replaces the settings'. A learner for assigning takes no moments, and a
    /// state without any has them begin anew.
    ///
    /// - Throws: `StateMismatch`, and then nothing has changed.
    public func importState(_ state: LearnerState) throws {
        guard let seed = UInt64(state.random) else {
            throw StateMismatch("the random state \"\(state.random)\" is not a seed")
        }
        let reader = try StateReader(state)
        let putWeights = try model.readWeights(reader)
        let putMoments = try optimizer?.readMoments(reader, model.weights.layout, steps: state.step)
        let clusters = try featureClusters.map { clusters in
            try FeatureClusters(clusters: clusters.clusters, dimension: clusters.dimension, from: reader)
        }
        // Nothing below can fail.
        putWeights()
        putMoments?()
        featureClusters = clusters
        self.seed = seed
        step = state.step
        evaluationIsPrepared = false
    }

    /// The names and shapes of the tensors that `importState` needs.
    public var requiredTensors: [String: [Int]] {
        let layout = model.weights.layout
        let moments =
            optimizer == nil ? [] : layout.parameters.flatMap { entry in Adam.names(entry).map { ($0, entry.shape) } }
        let weights = (layout.parameters + layout.statistics).map { ($0.name, $0.shape) }
        return Dictionary(uniqueKeysWithValues: weights + moments)
    }
}

extension Tensor {
    /// A row of a matrix.
    fileprivate func row(_ index: Int) -> UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(start: data + index * shape[1], count: shape[1])
    }
}
