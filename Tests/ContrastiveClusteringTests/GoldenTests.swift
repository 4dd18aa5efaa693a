// The whole engine against the authors' network and losses: gradients no further from the float64 truth than five times what
// PyTorch's float32 is, outputs and losses no further than thirty times, since Winograd's F(4x4) rounds about ten times more
// than a direct convolution. How the numbers were made stands in GoldenRun.swift.

import NeuralNetwork
import Tensors
import XCTest

final class GoldenTests: XCTestCase {
    func testResNet18() throws { try check("cc_resnet18_64") }
    func testResNet34() throws { try check("cc_resnet34_64") }
    func testResNet50() throws { try check("cc_resnet50_64") }

    private static let factor = 5.0
    private static let outputFactor = 30.0

    private func check(_ fixture: String) throws {
        var run = try GoldenRun(fixture)
        try run.run(Compute(threads: ThreadPool.processorCount))
        let deviations = run.deviations

        // Outputs and losses before the first update, by the largest deviation of PyTorch's for that kind of quantity.
        for kind in ["eval.h", "eval.z", "eval.c", "step0.h_", "step0.z_", "step0.c_", "step0.loss"] {
            let group = deviations.filter { $0.name.hasPrefix(kind) }
            let allowed = Self.outputFactor * (group.map(\.peer).max() ?? 0)
            for deviation in group { XCTAssertLessThanOrEqual(deviation.ours, allowed, "\(fixture) \(deviation.name)") }
            XCTAssertFalse(group.isEmpty, kind)
        }
        // Gradients, and what Adam makes of them, by median and worst case over all arrays: a ReLU's input near zero changes
        // side between any two float32 programs, so single values say little.
        for kind in ["step0.grad_norm", "step0.grad_head", "step0.state_norm", "step0.state_head"] {
            let group = deviations.filter { $0.name.hasPrefix(kind) }
            let ours = group.map(\.ours).sorted(), peer = group.map(\.peer).sorted()
            XCTAssertLessThanOrEqual(ours[ours.count / 2], Self.factor * peer[peer.count / 2], "\(fixture) \(kind)")
            XCTAssertLessThanOrEqual(try XCTUnwrap(ours.last), Self.factor * peer[peer.count - 1], "\(fixture) \(kind)")
        }
        // Later steps by their losses: runs drift apart from the first update on.
        for deviation in deviations where deviation.name.hasSuffix(".loss") {
            XCTAssertLessThanOrEqual(deviation.ours, Self.outputFactor * deviation.peer, "\(fixture) \(deviation.name)")
        }
        report(fixture, deviations)
    }

    /// The figures themselves, in the log.
    private func report(_ fixture: String, _ deviations: [Deviation]) {
        for kind in [
            "eval.h", "eval.z", "eval.c", "step0.h_", "step0.z_", "step0.c_", "step0.loss", "step1.loss", "step2.loss",
            "step0.grad_norm", "step0.grad_head", "step0.state_norm", "step0.state_head",
        ] {
            let group = deviations.filter { $0.name.hasPrefix(kind) }
            guard !group.isEmpty else { continue }
            let ours = group.map(\.ours).sorted(), peer = group.map(\.peer).sorted()
            print(
                fixture, kind, "median", ours[ours.count / 2], "worst", ours[ours.count - 1], "PyTorch float32: median",
                peer[peer.count / 2], "worst", peer[peer.count - 1])
        }
    }
}
