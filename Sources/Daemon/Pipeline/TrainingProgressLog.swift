// A log line on training now and then: losses, and images a second since the last line.

import ContrastiveClustering
import Logging

/// Sums up steps between two lines.
struct TrainingProgressLog {
    private static let interval = 10.0
    private var last: (report: StepReport, images: Int, seconds: Double)?
    private var writtenAt: MonotonicTime?

    mutating func add(_ report: StepReport, images: Int, seconds: Double, to logger: Logger) {
        last = (report, images + (last?.images ?? 0), seconds + (last?.seconds ?? 0))
        logger.debug(
            "step",
            metadata: [
                "step": "\(report.step)", "loss": "\(report.losses.total)", "instance": "\(report.losses.instance)",
                "cluster": "\(report.losses.cluster)", "entropy": "\(report.losses.entropy)",
            ])
        if writtenAt.map({ MonotonicTime.now.seconds(since: $0) >= Self.interval }) ?? true { flush(to: logger) }
    }

    mutating func flush(to logger: Logger) {
        guard let (report, images, seconds) = last else { return }
        last = nil
        writtenAt = .now
        let rate = seconds > 0 ? Double(images) / seconds : 0
        logger.info(
            "training",
            metadata: [
                "step": "\(report.step)", "loss": "\(report.losses.total)", "instance": "\(report.losses.instance)",
                "cluster": "\(report.losses.cluster)", "entropy": "\(report.losses.entropy)",
                "images_per_second": "\((rate * 10).rounded() / 10)",
            ])
    }
}
