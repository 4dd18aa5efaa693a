// SIGTERM and SIGINT: the first asks for an orderly stop, the next ends the process at once. SIGHUP asks a daemon to read its
// configuration again. SIGPIPE is ignored.
//
// The signals are blocked and taken by a thread of its own with sigwait, so what follows runs as ordinary code and not in
// a signal handler. Threads that a library started before this (OpenBLAS does when it is loaded) do not inherit the mask;
// should such a thread be chosen, a handler blocks the signal there and sends it to the process again.

import Glibc

/// Takes the signals that end a daemon, for as long as the process lives; a process has one.
public final class SignalHandling: Sendable {
    private let thread: WorkerThread

    /// Blocks the signals on the calling thread, which should be the main one before it starts others, and takes them.
    ///
    /// - Parameters:
    ///   - onStop: called at the first signal with its number; it should return soon, since it delays the next signal.
    ///   - onHangup: called at each SIGHUP, under the same condition; without it SIGHUP ends the process.
    ///   - leave: called at every further signal to stop with its number; ends the process with 128 and the number as exit code,
    ///     as shells have it.
    public init(
        onStop: @escaping @Sendable (Int32) -> Void, onHangup: (@Sendable () -> Void)? = nil,
        leave: @escaping @Sendable (Int32) -> Void = { number in _exit(128 + number) }
    ) {
        signal(SIGPIPE, SIG_IGN)
        let signals = [SIGTERM, SIGINT] + (onHangup == nil ? [] : [SIGHUP])
        var set = Self.signalSet(signals)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        for number in signals { Self.passOnFromOtherThreads(number) }
        thread = WorkerThread(name: "signals", stackSize: 256 << 10) {
            var set = Self.signalSet(signals)
            pthread_sigmask(SIG_BLOCK, &set, nil)
            var isStopping = false
            while true {
                var number: Int32 = 0
                guard sigwait(&set, &number) == 0 else { continue }
                if number == SIGHUP {
                    onHangup?()
                    continue
                }
                if isStopping { leave(number) } else { onStop(number) }
                isStopping = true
            }
        }
        thread.start()
    }

    /// The name of a signal that this takes.
    public static func name(of number: Int32) -> String {
        switch number {
        case SIGTERM: "SIGTERM"
        case SIGINT: "SIGINT"
        default: "signal \(number)"
        }
    }

    private static func signalSet(_ signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in signals { sigaddset(&set, number) }
        return set
    }

    /// sigaction(2) with a handler for threads that have not blocked the signal: it adds the signal to the mask that the
    /// thread gets back when the handler returns. Only functions that are safe in a handler (signal-safety(7)).
    private static func passOnFromOtherThreads(_ number: Int32) {
        var action = sigaction()
        action.sa_flags = SA_SIGINFO | SA_RESTART
        action.__sigaction_handler.sa_sigaction = { number, _, context in
            if let context = context?.assumingMemoryBound(to: ucontext_t.self) {
                sigaddset(&context.pointee.uc_sigmask, number)
            }
            kill(getpid(), number)
        }
        sigaction(number, &action, nil)
    }
}
