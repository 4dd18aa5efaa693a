// The checkpoints of this run, as far as others are told of them: which one weights descend from, and what is announced.

import Checkpoints
import StreamProtocol

/// Remembers the newest checkpoints; thread-safe.
package final class CheckpointLedger: Sendable {
    private struct State: Sendable {
        var records: [CheckpointRecord] = []
        var announcedAt: MonotonicTime?
    }

    /// Assignments may still be made with weights older than the newest checkpoint, but not by many.
    private static let remembered = 8

    private let state = Monitor(State())
    private let labelEpoch: Int
    private let interval: Double

    /// Creates a ledger that announces the newest checkpoint every `interval` seconds.
    ///
    /// - Parameter resumed: the checkpoint that this run goes on from.
    package init(resumed: CheckpointRecord?, labelEpoch: Int, interval: Double) {
        self.labelEpoch = labelEpoch
        self.interval = interval
        if let resumed { state.withLock { $0.records = [resumed] } }
    }

    /// Adds a checkpoint that has been written; it is due to be announced at once.
    package func add(_ record: CheckpointRecord) {
        state.withLock { state in
            state.records.append(record)
            if state.records.count > Self.remembered { state.records.removeFirst() }
            state.announcedAt = nil
        }
    }

    /// The name of the checkpoint that weights trained for `step` steps descend from.
    package func model(at step: UInt64) -> String {
        state.read { $0.records.last { $0.step <= step }?.id } ?? "step-000000000"
    }

    /// The newest checkpoint's announcement, where one is due.
    package func dueAnnouncement() -> CheckpointMessage? {
        state.withLock { state in
            guard let record = state.records.last else { return nil }
            if let last = state.announcedAt, MonotonicTime.now.seconds(since: last) < interval { return nil }
            state.announcedAt = .now
            return CheckpointMessage(
                id: record.id, step: record.step, byteCount: UInt64(record.bytes), sha256: record.sha256,
                written: Int64(clamping: record.time), labelEpoch: labelEpoch)
        }
    }
}
