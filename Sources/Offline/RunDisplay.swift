// How a run looks while it goes: one line that is written again and again on a terminal, a line an epoch everywhere.

import ContrastiveClustering
import Foundation

/// Lines about a run, as text.
package enum RunDisplay {
    /// The line of a step on a terminal, no wider than `width`.
    package static func stepLine(_ progress: OfflineTraining.Progress, epochs: Int, width: Int) -> String {
        let share = Double(progress.stepInEpoch) / Double(max(1, progress.stepsPerEpoch))
        let bar = bar(share, width: 20)
        let text =
            "epoch \(progress.epoch)/\(epochs) \(bar) \(progress.stepInEpoch)/\(progress.stepsPerEpoch)"
            + String(format: "  loss %.3f", progress.losses.total) + "  \(rate(progress.imagesPerSecond))"
        return String(text.prefix(max(0, width - 1)))
    }

    /// The line of an epoch that is over.
    package static func epochLine(
        _ progress: OfflineTraining.Progress, epochs: Int, _ report: EvaluationReport?
    ) -> String {
        let losses = progress.meanLosses
        let fields = [
            "epoch \(progress.epoch)/\(epochs)", "step \(progress.step)",
            String(format: "loss %.4f", losses.total),
            String(
                format: "(instance %.4f  cluster %.4f  entropy %.4f)", losses.instance, losses.cluster, losses.entropy),
            report?.scoreLine ?? "", rate(progress.imagesPerSecond),
        ]
        return fields.filter { !$0.isEmpty }.joined(separator: "  ")
    }

    /// A bar such as `[#####-----]`.
    package static func bar(_ share: Double, width: Int) -> String {
        let filled = Int((min(max(share, 0), 1) * Double(width)).rounded(.down))
        return "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled) + "]"
    }

    private static func rate(_ imagesPerSecond: Double) -> String {
        String(format: imagesPerSecond < 10 ? "%.1f images/s" : "%.0f images/s", imagesPerSecond)
    }
}
