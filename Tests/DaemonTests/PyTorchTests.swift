// A daemon's checkpoint opened in PyTorch: the authors' network takes it with strict=True, and says what the daemon says.

import Daemon
import Foundation
import XCTest

final class PyTorchTests: XCTestCase {
    private func run(_ arguments: [String]) throws -> TestProcess {
        guard let python = ProcessInfo.processInfo.environment["CLUSTERD_TEST_PYTHON"] else {
            throw XCTSkip("CLUSTERD_TEST_PYTHON does not name a Python with pyzmq, numpy, safetensors and torch")
        }
        let probe = try TestProcess(python, ["-c", "import torch"])
        guard probe.wait() == 0 else { throw XCTSkip("\(python) has no PyTorch") }
        let clients = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("clients")
        let script = clients.appendingPathComponent("pytorch_agreement.py").path
        return try TestProcess(python, [script] + arguments)
    }

    private func endpoints(of daemon: TestProcess) throws -> (queue: String, publisher: String) {
        let queue = try XCTUnwrap(daemon.logged("endpoint", with: "source=queue"), "\(daemon.errors.read { $0.lines })")
        return (queue, try XCTUnwrap(daemon.logged("endpoint", with: "publishing")))
    }

    func testThePyTorchModelAgreesOnAThousandPictures() throws {
        let count = 1000
        let folder = try TemporaryFolder()
        let settings = ["model.architecture=resnet34", "model.clusters=10", "publish.probabilities=true", "threads=2"]

        let training = try TestProcess.serve(folder, set: settings + ["train.batch_size=50"])
        let (trainingQueue, trainingPublisher) = try endpoints(of: training)
        let sender = try run(["train", trainingQueue, trainingPublisher, "\(count)"])
        XCTAssertEqual(sender.wait(), 0, "\(sender.errors.read { $0.lines })")
        training.signal(SIGTERM)
        XCTAssertEqual(training.wait(), 0)
        XCTAssertEqual(try folder.checkpoints, ["step-000000020.safetensors"])

        // A mini-batch that is never full: all are answered with the weights of the checkpoint.
        let resumed = try TestProcess.serve(folder, set: settings + ["train.batch_size=\(3 * count)"])
        let (queue, publisher) = try endpoints(of: resumed)
        let comparison = try run(["compare", queue, publisher, folder.path + "/step-000000020.safetensors", "\(count)"])
        XCTAssertEqual(comparison.wait(), 0, "\(comparison.errors.read { $0.lines })")
        resumed.signal(SIGTERM)
        XCTAssertEqual(resumed.wait(), 0)

        let line = try XCTUnwrap(comparison.output.read { $0.lines }.first)
        let result = try JSONDecoder().decode(Agreement.self, from: Data(line.utf8))
        XCTAssertGreaterThanOrEqual(result.same, count - 1)
        XCTAssertLessThan(result.difference, 1e-3)
        XCTAssertGreaterThan(result.used, 1, "one cluster for all would agree whatever the weights")
    }

    private struct Agreement: Decodable {
        let same: Int
        let difference: Double
        let used: Int
    }
}
