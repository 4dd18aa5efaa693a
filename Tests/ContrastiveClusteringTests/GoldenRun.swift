// The run that a golden fixture describes, carried out by the engine, and how far it lands from the fixture's truth.
//
// Fixtures/cc_reference.py made the fixtures: float64 values, each with the deviation of PyTorch's own float32 run.
//     python3 cc_reference.py --arch resnet18 --size 64 --batch 16 --clusters 10 --steps 3 --out cc_resnet18_64.safetensors
//     python3 cc_reference.py --arch resnet34 --size 64 --batch 16 --clusters 7 --steps 2 --out cc_resnet34_64.safetensors
//     python3 cc_reference.py --arch resnet50 --size 64 --batch 16 --clusters 20 --steps 1 --out cc_resnet50_64.safetensors

import ContrastiveClustering
import Foundation
import NeuralNetwork
import Safetensors
import Tensors
import XCTest

/// A relative deviation, ours and PyTorch's float32, of one quantity from the truth.
struct Deviation {
    let name: String
    let ours: Double
    let peer: Double
}

/// A fixture's run: `deviations` gathers, quantity by quantity, how far it is from the truth.
struct GoldenRun {
    private let truth: [String: [Double]]
    private let peer: [String: Double]
    private let settings: ModelSettings
    private let batch: Int
    private let steps: Int
    private let learningRate: Float
    private(set) var deviations: [Deviation] = []

    init(_ fixture: String) throws {
        let url = try XCTUnwrap(Bundle.module.url(forResource: "Fixtures/\(fixture)", withExtension: "safetensors"))
        let file = try SafetensorsFile(path: url.path)
        var truth: [String: [Double]] = [:]
        for tensor in file.tensors {
            guard case .float32(let values) = tensor.elements else { continue }
            truth[tensor.name] = values.map(Double.init)
        }
        self.truth = truth
        let number = { (key: String) in try XCTUnwrap(file.metadata[key].flatMap { Double($0) }, key) }
        peer = try JSONDecoder().decode(
            [String: Double].self, from: Data(XCTUnwrap(file.metadata["fp32_deviation"]).utf8))
        settings = try ModelSettings(
            architecture: XCTUnwrap(file.metadata["arch"].flatMap(ModelSettings.Architecture.init)),
            imageSize: Int(number("size")), clusters: Int(number("clusters")),
            featureDimension: Int(number("feature_dim")))
        batch = try Int(number("batch"))
        steps = try Int(number("steps"))
        learningRate = try Float(number("lr"))
    }

    /// Evaluation mode, then every training step.
    mutating func run(_ compute: Compute) throws {
        let model = ContrastiveModel(settings)
        model.initialize(seed: 0, compute)
        try fillWeights(of: model)

        let evaluation = EvaluationPass(model, batch: batch)
        evaluation.prepare(compute)
        evaluation.x.assign(view("a", step: 0))
        evaluation.forward(count: batch, compute)
        compare("eval.h", evaluation.features)
        compare("eval.z", evaluation.instances)
        compare("eval.c", evaluation.probabilities)

        let pass = TrainingPass(model, batch: batch)
        let adam = Adam(count: model.weights.parameters.count, learningRate: learningRate)
        for step in 0..<steps {
            for (index, name) in ["a", "b"].enumerated() {
                pass.views(count: batch)[index].assign(view(name, step: step))
            }
            let losses = pass.forward(count: batch, compute)
            compare("step\(step).loss", [losses.instance, losses.cluster, losses.entropy])
            for (index, view) in ["a", "b"].enumerated() {
                compare("step\(step).h_\(view)", pass.features(count: batch), view: index)
                compare("step\(step).z_\(view)", pass.instances(count: batch), view: index)
                compare("step\(step).c_\(view)", pass.probabilities(count: batch), view: index)
            }
            pass.backward(count: batch, compute)
            for parameter in model.weights.layout.parameters {
                compareHead("step\(step).grad", parameter.exported(from: pass.gradients, name: parameter.name))
            }
            adam.update(model.weights.parameters, gradients: pass.gradients, compute)
            for tensor in model.exported(steps: UInt64(step + 1)) { compareHead("step\(step).state", tensor) }
        }
    }

    /// The weights of `build` in cc_reference.py.
    private func fillWeights(of model: ContrastiveModel) throws {
        for entry in model.weights.layout.parameters {
            let (name, shape) = (entry.name, entry.shape)
            let values: [Float]
            if shape.count == 1 && !name.contains("projector") {
                values = fill(entry.count, name: name, scale: 0.1).map { name.hasSuffix("weight") ? $0 + 1 : $0 }
            } else {
                let scale = (6 / Double(entry.count / shape[0])).squareRoot()
                values = fill(entry.count, name: name, scale: shape.count > 1 ? Float(scale) : 0.05)
            }
            entry.restore(values, in: model.weights.parameters)
        }
    }

    /// The pictures of a view as the engine lays them out, [N, H, W, C]; the generator fills [N, C, H, W].
    private func view(_ name: String, step: Int) -> [Float] {
        let area = settings.imageSize * settings.imageSize
        let values = fill(batch * 3 * area, name: "view_\(name).step\(step)", scale: 0.5)
        return values.indices.map { index in
            let (image, pixel, channel) = (index / (3 * area), index % (3 * area) / 3, index % 3)
            return values[(image * 3 + channel) * area + pixel] + 0.5
        }
    }

    private mutating func compare(_ name: String, _ values: [Float]) {
        guard let truth = truth[name], let peer = peer[name] else { return XCTFail("the fixture has no \(name)") }
        XCTAssertEqual(values.count, truth.count, name)
        let difference = zip(values, truth).reduce(0) { $0 + pow(Double($1.0) - $1.1, 2) }.squareRoot()
        let length = truth.reduce(0) { $0 + $1 * $1 }.squareRoot()
        deviations.append(Deviation(name: name, ours: difference / max(length, 1e-30), peer: peer))
    }

    private mutating func compare(_ name: String, _ tensor: Tensor) { compare(name, tensor.values) }

    private mutating func compare(_ name: String, _ tensor: Tensor, view: Int) {
        let values = tensor.values
        compare(name, Array(values[view * values.count / 2..<(view + 1) * values.count / 2]))
    }

    /// A tensor's norm and its first 64 values, which is what fixtures keep of the large ones.
    private mutating func compareHead(_ prefix: String, _ tensor: NamedTensor) {
        guard case .float32(let values) = tensor.elements else { return }
        let norm = values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        compare("\(prefix)_norm.\(tensor.name)", [Float(norm)])
        compare("\(prefix)_head.\(tensor.name)", Array(values.prefix(64)))
    }
}
