// The thread that looks at workers' marks, for whoever tells others that the daemon is well.
//
// It has the lowest priority of all threads here. Where a machine is so busy that a worker of low priority, and whoever waits
// for it, does not get on for minutes, this thread looks that much less often, and does not take for a hang what is a shortage.

import Synchronization

/// Looks at marks again and again while it runs; thread-safe.
package final class Lookout: Sendable {
    private struct Orders: Sendable {
        var marks: [WorkMark]
        var isOver = false
    }

    /// Seconds between two looks, where nothing else is wanted.
    package static let interval = 5.0
    /// As low as any worker's.
    private static let niceness = Trainer.niceness + 5

    private let orders: Monitor<Orders>
    private let interval: Double
    private let patience: Double
    private let onHang: @Sendable (WorkWatch.Hang) -> Void
    // Beside what was found, so that whoever must not wait need not wait for a thread that was interrupted with a lock.
    private let isHanging = Atomic(false)
    private let found = Mutex([WorkWatch.Hang]())
    private let thread = Mutex<WorkerThread?>(nil)

    /// Creates a lookout that does not look yet.
    ///
    /// - Parameters:
    ///   - marks: what to look at, until `watch` says otherwise.
    ///   - interval: seconds between two looks.
    ///   - patience: the share of the usual patience with workers.
    ///   - onHang: called on its thread when a worker is found to hang that did not at the look before.
    package init(
        _ marks: [WorkMark] = [], interval: Double = Lookout.interval, patience: Double = 1,
        onHang: @escaping @Sendable (WorkWatch.Hang) -> Void = { _ in }
    ) {
        orders = Monitor(Orders(marks: marks))
        self.interval = interval
        self.patience = patience
        self.onHang = onHang
    }

    /// Whether nothing that is watched hangs, as of the last look; waits for nobody.
    package var isAllWell: Bool { !isHanging.load(ordering: .acquiring) }

    /// What hangs, in a line; nil where nothing does.
    package var illness: String? {
        isAllWell ? nil : found.withLock { $0.first.map { "\($0.worker) hangs: \($0.reason)" } }
    }

    /// Looks at these from now on.
    package func watch(_ marks: [WorkMark]) { orders.withLock { $0.marks = marks } }

    /// Starts looking; a second call does nothing.
    package func start() {
        thread.withLock { thread in
            guard thread == nil else { return }
            let worker = WorkerThread(name: "lookout", stackSize: 512 << 10, niceness: Self.niceness) { [self] in run()
            }
            worker.start()
            thread = worker
        }
    }

    /// Looks no more. Harmless at any time.
    package func stop() {
        orders.withLock { $0.isOver = true }
        thread.withLock { $0 }?.join()
    }

    private func run() {
        var watch = WorkWatch(share: patience, interval: interval)
        var before: [WorkWatch.Hang] = []
        while let marks = next() {
            let hangs = watch.look(at: marks)
            found.withLock { $0 = hangs }
            isHanging.store(!hangs.isEmpty, ordering: .releasing)
            for hang in hangs where !before.contains(hang) { onHang(hang) }
            before = hangs
        }
    }

    /// Waits for the next look.
    private func next() -> [WorkMark]? {
        let deadline = MonotonicTime.now.advanced(bySeconds: interval)
        return orders.wait { orders in
            if orders.isOver { return .done(nil) }
            return MonotonicTime.now >= deadline ? .done(orders.marks) : .wait(until: deadline)
        }
    }
}
