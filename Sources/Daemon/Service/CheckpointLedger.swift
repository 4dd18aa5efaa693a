// The checkpoints of this run, as far as others are told of them: which one weights descend from, and what is announced.

import Checkpoints
import StreamProtocol

/// Remembers the newest checkpoints; thread-safe.
package final class CheckpointLedger: Sendable {
    /// A checkpoint with what is only known in this run.
    package struct Entry: Sendable {
        /// What lies on disk.
        package var record: CheckpointRecord
        /// How many remembered images changed cluster since the checkpoint before it.
        package var churn: Churn?
    }

    private struct State: Sendable {
        var entries: [Entry] = []
        /// The model that the present label epoch began with, where that is known.
        var relabeling: RelabelingMessage?
        /// How the label epoch begins that a model is about to begin.
        var coming: RelabelingMessage?
        var announcedAt: MonotonicTime?
    }

    /// Assignments may still be made with weights older than the newest checkpoint, but not by many.
    private static let remembered = 8

    private let state = Monitor(State())
    private let interval: Double

    /// Creates a ledger that announces the newest checkpoint every `interval` seconds.
    ///
    /// - Parameter resumed: the checkpoint that this run goes on from.
    package init(resumed: Checkpoint?, interval: Double) {
        self.interval = interval
        guard let resumed else { return }
        state.withLock { state in
            state.entries = [Entry(record: resumed.record)]
            state.relabeling = resumed.relabeling.flatMap(RelabelingMessage.init(body:))
        }
    }

    /// Adds a checkpoint that has been written; it is due to be announced at once.
    package func add(_ record: CheckpointRecord, churn: Churn? = nil) {
        state.withLock { state in
            state.entries.removeAll { $0.record.id == record.id }
            state.entries.append(Entry(record: record, churn: churn))
            if state.entries.count > Self.remembered { state.entries.removeFirst() }
            state.announcedAt = nil
        }
    }

    /// Notes how a label epoch is about to begin, so that its first checkpoint can say it.
    package func prepare(_ relabeling: RelabelingMessage) { state.withLock { $0.coming = relabeling } }

    /// Notes that a label epoch begins.
    package func begin(_ relabeling: RelabelingMessage) { state.withLock { $0.relabeling = relabeling } }

    /// How the present label epoch began, where that is known.
    package var relabeling: RelabelingMessage? { state.read(\.relabeling) }

    /// How a label epoch began, where that is known.
    package func relabeling(of labelEpoch: UInt64) -> RelabelingMessage? {
        state.read { state in
            [state.coming, state.relabeling].compactMap { $0 }.first { $0.labelEpoch == Int(clamping: labelEpoch) }
        }
    }

    /// The newest checkpoint; nil before the first.
    package var newest: Entry? { state.read { $0.entries.last } }

    /// The name of the checkpoint that weights descend from.
    package func model(at version: ModelVersion) -> String {
        state.read { state in
            let written = state.entries.last {
                $0.record.labelEpoch == version.labelEpoch && $0.record.step <= version.step
            }
            if let written { return written.record.id }
            guard let begun = state.relabeling, begun.labelEpoch == Int(clamping: version.labelEpoch) else {
                return CheckpointRecord.id(step: 0, labelEpoch: version.labelEpoch)
            }
            return begun.model
        }
    }

    /// The newest checkpoint's announcement, where one is due.
    package func dueAnnouncement() -> CheckpointMessage? {
        state.withLock { state in
            guard let entry = state.entries.last else { return nil }
            if let last = state.announcedAt, MonotonicTime.now.seconds(since: last) < interval { return nil }
            state.announcedAt = .now
            let record = entry.record
            return CheckpointMessage(
                id: record.id, step: record.step, byteCount: UInt64(record.bytes), sha256: record.sha256,
                written: Int64(clamping: record.time), labelEpoch: Int(clamping: record.labelEpoch),
                churn: entry.churn?.share)
        }
    }
}
