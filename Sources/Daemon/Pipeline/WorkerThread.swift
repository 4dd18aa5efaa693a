// A thread with a name and a stack of its own, for work that blocks.
//
// Workers are threads rather than tasks: a training step occupies a core for seconds and a queue's wait blocks, and either
// on Swift's cooperative pool would starve everything else that runs there.

import Glibc
import Tensors

/// A thread that runs one function once.
package final class WorkerThread: Sendable {
    private enum Phase: Sendable {
        case created
        case running
        case ended
    }

    /// What the thread is called in `top -H` and debuggers; Linux shows the first 15 bytes.
    package let name: String
    private let stackSize: Int
    private let niceness: Int
    /// Until it has run: what it holds, such as sockets, ends with the thread and not with the last reference to this.
    private let body: Monitor<(@Sendable () -> Void)?>
    private let phase = Monitor(Phase.created)

    /// Creates a thread that is not running yet.
    ///
    /// - Parameters:
    ///   - stackSize: in bytes.
    ///   - niceness: the scheduling priority, 0 as usual, 19 the lowest.
    package init(
        name: String, stackSize: Int = 8 << 20, niceness: Int = 0, body: @escaping @Sendable () -> Void
    ) {
        self.name = name
        self.stackSize = stackSize
        self.niceness = niceness
        self.body = Monitor(body)
    }

    /// Starts the thread; a second call does nothing.
    package func start() {
        let first = phase.withLock { phase in
            guard phase == .created else { return false }
            phase = .running
            return true
        }
        guard first else { return }

        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackSize)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                let worker = Unmanaged<WorkerThread>.fromOpaque(argument!).takeRetainedValue()
                worker.run()
                return nil
            },
            Unmanaged.passRetained(self).toOpaque())
        precondition(status == 0, "cannot start the thread \(name): \(String(cString: strerror(status)))")
    }

    private func run() {
        Self.nameThisThread(name)
        if niceness != 0 { ThreadPool.lowerPriority(to: niceness) }
        runBody()
        phase.withLock { $0 = .ended }
    }

    /// A function of its own, so that the body and what it holds are gone when it returns: whoever joins relies on that.
    @inline(never)
    private func runBody() {
        let body = body.withLock { $0.take() }
        body?()
    }

    /// proc(5), /proc/thread-self/comm: what pthread_setname_np writes too, which Swift's Glibc module does not show.
    private static func nameThisThread(_ name: String) {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        let bytes = Array(name.utf8.prefix(15))
        _ = write(file, bytes, bytes.count)
    }

    /// Waits until the thread has ended and has let go of what its function held; returns at once where it was never started.
    package func join() {
        phase.wait { phase in phase == .running ? .wait(until: nil) : .done(()) }
    }

    /// Whether the thread has been started and has not ended.
    package var isRunning: Bool { phase.read { $0 == .running } }
}
