// `replay`: assignments by number, for readers that have missed some.

import Journal
import StreamProtocol

extension ControlOperation {
    /// Answers from the journal.
    static func replay(from journal: Journal) -> Self {
        Self("replay", lane: .reading) { (request) throws(ControlFailure) in
            let wanted = try ReplayRequest(request)
            do throws(JournalError) {
                let replay = try journal.replay(epoch: wanted.epoch, from: wanted.from, limit: wanted.limit)
                return ReplayReply(
                    epoch: replay.epoch, first: replay.first, next: replay.next, last: replay.last, gap: replay.gap,
                    assignments: replay.messages.map(\.body)
                ).reply
            } catch {
                throw error.kind == .unknownEpoch
                    ? ControlFailure(.unknownEpoch, error.reason) : ControlFailure(.failed, "\(error)")
            }
        }
    }
}
