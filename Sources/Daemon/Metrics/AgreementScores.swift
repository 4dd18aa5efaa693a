// NMI, ACC and ARI for whoever asks often: computed again only when images have come, and never for more than a small part
// of the time.

import ContrastiveClustering
import Synchronization

/// The scores of a stream's labels; thread-safe.
final class AgreementScores: Sendable {
    private struct State: Sendable {
        var scores: ClusteringScores?
        var images = 0
        var nextAt = MonotonicTime(nanoseconds: 0)
    }

    /// ACC needs the best match of clusters to labels, whose work grows with the smaller number's square: beyond this, a
    /// fraction of a second, no scores are given.
    private static let maximumWork = 50_000_000
    /// The part of the time that computing may take.
    private static let share = 0.01

    private let agreement: LabelAgreement
    private let state = Mutex(State())

    init(_ agreement: LabelAgreement) { self.agreement = agreement }

    /// The scores since the start, or since cluster numbers got a new meaning; nil where no label came, or too many.
    var current: ClusteringScores? {
        state.withLock { state in
            let started = MonotonicTime.now
            guard started >= state.nextAt else { return state.scores }
            let table = agreement.total
            guard table.images != state.images else { return state.scores }
            let (small, large) = (min(table.counts.count, table.columns), max(table.counts.count, table.columns))
            state.scores = small * small * large <= Self.maximumWork ? ClusteringScores(table) : nil
            state.images = table.images
            let now = MonotonicTime.now
            state.nextAt = now.advanced(bySeconds: now.seconds(since: started) / Self.share)
            return state.scores
        }
    }
}
