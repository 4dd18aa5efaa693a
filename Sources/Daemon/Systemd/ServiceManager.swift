// The service manager that started the daemon, as the daemon talks to it: sd_notify(3), sd_watchdog_enabled(3).
//
// Where nobody asked to be told (no $NOTIFY_SOCKET) everything here does nothing.

import Glibc
import Logging

/// Tells the service manager how the daemon is, on a thread of its own while it lives.
package final class ServiceManager: Sendable {
    /// How the daemon is told about, and watched.
    package struct Subject: Sendable {
        /// Those that must not hang while the daemon runs.
        package var workers: [WorkMark]
        /// Those that must not hang while it stops.
        package var finishers: [WorkMark]
        /// One line on how it is.
        package var status: @Sendable () -> String

        /// Creates a subject.
        package init(workers: [WorkMark], finishers: [WorkMark], status: @escaping @Sendable () -> String) {
            self.workers = workers
            self.finishers = finishers
            self.status = status
        }
    }

    private enum Phase: Sendable {
        case starting
        case running
        case stopping
        case ended
    }

    private struct State: Sendable {
        var phase = Phase.starting
        var subject: Subject?
        var threads: [WorkerThread] = []
    }

    /// Seconds between two lines of status.
    private static let statusInterval = 5.0
    /// Microseconds by which the start or the stop may go on without a further word, while it gets on: as long as the unit's
    /// `WatchdogSec=`, for a machine that is too busy to let this be said on time.
    private static let extensionMicroseconds = 120_000_000

    private let socket: NotifySocket?
    /// Seconds after which the manager wants to have heard something.
    private let watchdog: Double?
    private let logger: Logger
    private let lookout: Lookout
    private let state = Monitor(State())
    private let startMark = WorkMark("the start", patience: 600)

    /// Creates the manager that `environment` tells of.
    ///
    /// - Parameter patience: the share of the usual patience with workers.
    package init(environment: [String: String], patience: Double = 1, logger: Logger) {
        socket = environment["NOTIFY_SOCKET"].flatMap(NotifySocket.init)
        let isForThisProcess = environment["WATCHDOG_PID"].map { Int32($0) == getpid() } ?? true
        watchdog =
            isForThisProcess
            ? environment["WATCHDOG_USEC"].flatMap(UInt64.init).flatMap { $0 > 0 ? Double($0) * 1e-6 : nil } : nil
        self.logger = logger
        lookout = Lookout(interval: Self.interval(watchdog), patience: patience) { hang in
            logger.critical("\(hang.worker) hangs: \(hang.reason)")
        }
        if let address = environment["NOTIFY_SOCKET"], !address.isEmpty, socket == nil {
            logger.warning("NOTIFY_SOCKET is no address that this version knows", metadata: ["address": "\(address)"])
        }
    }

    /// Creates the manager that this process's environment tells of, and takes it out of there: it is not for processes that
    /// this one starts. To be called before there are threads.
    package static func inherited(logger: Logger) -> ServiceManager {
        var environment: [String: String] = [:]
        for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] {
            environment[name] = getenv(name).map { String(cString: $0) }
            unsetenv(name)
        }
        return ServiceManager(environment: environment, logger: logger)
    }

    // MARK: What the daemon says

    /// The calling thread begins to start the daemon: it is given time for as long as that gets on.
    package func starting() {
        guard socket != nil else { return }
        startMark.begin()
        lookout.watch([startMark])
        lookout.start()
        // Two, for what the status is made of has locks, and nobody may have to wait for those to hear that all is well.
        let threads = [
            WorkerThread(name: "systemd", stackSize: 512 << 10) { [self] in speak() },
            WorkerThread(name: "systemd-status", stackSize: 512 << 10) { [self] in tellStatus() },
        ]
        state.withLock { $0.threads = threads }
        threads.forEach { $0.start() }
    }

    /// The daemon serves. It is watched from now on.
    package func ready(_ subject: Subject) {
        startMark.end()
        lookout.watch(subject.workers)
        socket?.send(["READY=1", "STATUS=\(Self.oneLine(subject.status()))"])
        state.withLock { state in
            state.phase = .running
            state.subject = subject
        }
    }

    /// The daemon reads its configuration again in `body`.
    package func reloading(_ body: () -> Void) {
        // MONOTONIC_USEC is what ties this to the signal that the manager sent: systemd.service(5), Type=notify-reload.
        socket?.send(["RELOADING=1", "MONOTONIC_USEC=\(MonotonicTime.now.nanoseconds / 1000)"])
        body()
        socket?.send(["READY=1"])
    }

    /// The daemon stops, and is given time for as long as that gets on.
    package func stopping() {
        socket?.send(["STOPPING=1", "STATUS=stopping: what was taken is assigned and trained on"])
        let subject = state.withLock { state in
            state.phase = .stopping
            return state.subject
        }
        lookout.watch(subject?.finishers ?? [])
    }

    /// The daemon has stopped or failed, for a reason.
    package func ended(_ status: String) {
        startMark.end()
        let threads = state.withLock { state in
            state.phase = .ended
            return state.threads
        }
        threads.forEach { $0.join() }
        lookout.stop()
        socket?.send(["STATUS=\(Self.oneLine(status))"])
    }

    // MARK: The threads

    private func speak() {
        while true {
            let phase = state.read(\.phase)
            if phase == .ended { return }
            if lookout.isAllWell {
                switch phase {
                case .running: if watchdog != nil { socket?.send(["WATCHDOG=1"]) }
                default: socket?.send(["EXTEND_TIMEOUT_USEC=\(Self.extensionMicroseconds)"])
                }
            }
            wait(interval, whileIn: phase)
        }
    }

    private func tellStatus() {
        var told: String?
        while true {
            let (phase, subject) = state.read { ($0.phase, $0.subject) }
            if phase == .ended { return }
            if phase == .running, let status = subject.map({ Self.oneLine($0.status()) }), status != told {
                socket?.send(["STATUS=\(status)"])
                told = status
            }
            wait(interval, whileIn: phase)
        }
    }

    /// Seconds between two messages.
    private var interval: Double { Self.interval(watchdog) }

    private static func interval(_ watchdog: Double?) -> Double {
        min(statusInterval, watchdog.map { $0 / 2 } ?? .infinity)
    }

    private func wait(_ seconds: Double, whileIn phase: Phase) {
        let deadline = MonotonicTime.now.advanced(bySeconds: seconds)
        state.wait { state in
            state.phase != phase || MonotonicTime.now >= deadline ? .done(()) : .wait(until: deadline)
        }
    }

    private static func oneLine(_ text: String) -> String { String(text.map { $0.isNewline ? " " : $0 }) }
}
