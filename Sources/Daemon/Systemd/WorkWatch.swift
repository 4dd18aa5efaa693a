// Which workers hang, judged by what is seen of their marks from one look to the next.
//
// A slow machine is no hang. So time counts only as far as looks are made, by a thread that is slow where the machine is, and
// only against a thread that waits for another of this process.

/// Looks at marks, again and again; it belongs to one thread.
package struct WorkWatch {
    /// A worker that does not get on.
    package struct Hang: Sendable, Equatable {
        /// What it does.
        package var worker: String
        /// Why it is taken to hang.
        package var reason: String

        /// Creates a finding.
        package init(worker: String, reason: String) {
            self.worker = worker
            self.reason = reason
        }
    }

    /// Seconds of processor time that no piece of work needs to justify.
    private static let computing = 600.0
    /// How much longer than any before a piece of work may take.
    private static let slack = 10.0
    /// Processor time that counts as having run: a thread that waits in vain still wakes up now and then.
    private static let notable = 1e-3

    private struct Sight {
        var progress: WorkMark.Progress
        /// Seconds without progress.
        var still = 0.0
    }

    private let share: Double
    private let interval: Double
    private var sights: [ObjectIdentifier: Sight] = [:]
    private var last: MonotonicTime?

    /// Creates a watch that has seen nothing.
    ///
    /// - Parameters:
    ///   - share: of the patience that marks ask for.
    ///   - interval: seconds that are to pass between two looks; more are not counted.
    package init(share: Double = 1, interval: Double = 5) {
        self.share = share
        self.interval = interval
    }

    /// Looks at the marks, and says whose workers hang.
    package mutating func look(at marks: [WorkMark], now: MonotonicTime = .now) -> [Hang] {
        let passed = last.map { now.seconds(since: $0) } ?? 0
        last = now
        return marks.compactMap { mark in
            let key = ObjectIdentifier(mark)
            guard let progress = mark.progress else {
                sights[key] = nil
                return nil
            }
            let patience = mark.patience * share
            var sight = Sight(progress: progress)
            if let before = sights[key], before.progress.piece == progress.piece,
                progress.processorSeconds - before.progress.processorSeconds <= Self.notable
            {
                // A machine or a process that was stopped for an hour has not been watched for an hour.
                let counted = mark.isHeldUp ? 0 : min(passed, interval)
                sight = Sight(progress: before.progress, still: before.still + counted)
            }
            sights[key] = sight
            if sight.still > patience {
                return Hang(worker: mark.name, reason: "its thread has not run for \(Int(patience)) seconds")
            }
            guard let longest = progress.longest else { return nil }
            let limit = max(Self.computing * share, Self.slack * longest)
            return progress.processorSeconds > limit
                ? Hang(worker: mark.name, reason: "it has computed for \(Int(limit)) seconds on one thing") : nil
        }
    }
}
