// How the daemon is, in one line for `systemctl status`.

import Foundation

extension Pipeline {
    /// The step, the rates, the loss, the clusters, and what waits.
    package var statusLine: String {
        let (learning, usage) = (learning.current, usage.snapshot)
        var parts = ["step \(learning.version.step)"]
        parts.append("\(Self.rate(counters.assignedRate.perSecond())) images/s assigned")
        parts.append(
            isTrainingPaused ? "training paused" : "\(Self.rate(counters.trainedRate.perSecond())) images/s trained")
        if let loss = learning.losses?.total { parts.append("loss \(String(format: "%.3f", loss))") }
        let used = usage.recent.count { $0 > 0 }
        if used > 0 { parts.append("\(used) of \(usage.recent.count) clusters in use") }
        if usage.isCollapsed { parts.append("collapsed") }
        if lastCheckpointFailed { parts.append("the last checkpoint could not be written") }
        return parts.joined(separator: ", ")
    }

    private static func rate(_ perSecond: Double) -> String {
        String(format: perSecond < 10 ? "%.1f" : "%.0f", perSecond)
    }
}
