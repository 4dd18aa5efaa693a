// What the pipeline says, as messages on their way to the publisher; assignments by way of the journal.

import Journal
import Logging
import StreamProtocol
import Synchronization

/// Puts messages in the outbox; thread-safe, and it waits for nobody.
package final class StreamOutput: PipelineOutput {
    private let outbox: Outbox
    private let journal: Journal
    private let statistics: StreamStatistics
    private let ledger: CheckpointLedger
    private let sendsProbabilities: Atomic<Bool>
    private let logger: Logger

    /// Creates an output.
    ///
    /// - Parameters:
    ///   - outbox: where messages go.
    ///   - journal: where assignments are written first.
    ///   - statistics: where rejections are counted.
    ///   - sendsProbabilities: whether assignments carry the probability of every cluster.
    package init(
        outbox: Outbox, journal: Journal, statistics: StreamStatistics, ledger: CheckpointLedger,
        sendsProbabilities: Bool, logger: Logger
    ) {
        self.outbox = outbox
        self.journal = journal
        self.statistics = statistics
        self.ledger = ledger
        self.sendsProbabilities = Atomic(sendsProbabilities)
        self.logger = logger
    }

    package func publish(_ assignments: [NumberedAssignment]) -> AssignmentNumbering {
        var messages = assignments.map(message)
        // First, so that nobody has been sent what is lost when the process is killed.
        journal.append(&messages)
        outbox.append(contentsOf: messages.map(\.frames))
        return journal.numbering
    }

    private func message(_ numbered: NumberedAssignment) -> AssignmentMessage {
        let (origin, assignment) = (numbered.origin, numbered.assignment)
        return AssignmentMessage(
            epoch: numbered.epoch, sequence: numbered.sequence, source: origin.source, id: origin.id,
            sourceSequence: origin.sequence, taken: origin.taken, received: origin.received,
            published: numbered.published, cluster: assignment.cluster, confidence: assignment.confidence,
            step: numbered.step,
            model: ledger.model(at: ModelVersion(step: numbered.step, labelEpoch: numbered.labelEpoch)),
            labelEpoch: Int(clamping: numbered.labelEpoch),
            probabilities: sendsProbabilities.load(ordering: .relaxed) ? assignment.probabilities : nil,
            embedding: assignment.embedding)
    }

    /// Whether assignments carry the probability of every cluster from now on.
    package func setSendsProbabilities(_ sends: Bool) { sendsProbabilities.store(sends, ordering: .relaxed) }

    package func publish(_ relabeling: RelabelingMessage) {
        ledger.begin(relabeling)
        outbox.append(relabeling.frames)
    }

    package func reject(source: String, id: String?, reason: String) {
        let count = statistics.countRejected(source: source, reason: reason)
        logger.log(
            level: count.isLogged ? .notice : .debug, "rejected an image",
            metadata: [
                "source": "\(source)", "reason": "\(reason)", "count": "\(count)", "id": "\(id ?? "none")",
            ])
        outbox.append(RejectedMessage(source: source, id: id, reason: reason).frames)
    }

    /// Announces the newest checkpoint where that is due.
    package func announceCheckpoint() {
        if let announcement = ledger.dueAnnouncement() { outbox.append(announcement.frames) }
    }
}
