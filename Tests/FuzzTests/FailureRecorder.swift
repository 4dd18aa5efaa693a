// Keeps the input that is being tried where a signal handler finds it, and with it saves the input that crashed or hung.
//
// A trap ends the process before anything in Swift could say on which input. So the handlers here do only what
// signal-safety(7) allows: write(2) and open(2) of what lies ready in memory.

import Foundation

/// The one recorder of the process: signal handlers can be given nothing else.
enum FailureRecorder {
    /// Where failing inputs are saved: in the folder that the environment names, or in one of this process.
    static let folder = named ?? NSTemporaryDirectory() + "clusterd-fuzz-\(getpid())"
    private static let named = ProcessInfo.processInfo.environment["CLUSTERD_FUZZ_FAILURES"]

    /// The most bytes that are kept of an input.
    private static let capacity = 1 << 20

    private static let stackSize = 64 << 10
    nonisolated(unsafe) private static let stack = malloc(stackSize)

    private struct State {
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        var count = 0
        /// How many inputs have begun.
        var number = 0
        /// `number` when the processor time was last looked at.
        var numberBefore = -1
        var path: UnsafeMutablePointer<CChar>?
        var title: UnsafeMutablePointer<CChar>?
    }

    /// Only the thread that fuzzes writes it; the handlers read it on whatever thread they interrupt.
    nonisolated(unsafe) private static var state = State()

    /// Installs the handlers for the target `name`.
    ///
    /// - Parameter seconds: processor time that an input may take before it counts as a hang.
    static func begin(target name: String, seed: UInt64, seconds: Int) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        free(state.path)
        free(state.title)
        state.path = strdup("\(folder)/\(name)-\(seed)")
        state.title = strdup(
            "\nfuzzing \(name), seed \(seed): this input ends the process or takes too long, saved in ")
        // A stack of its own, or a stack that has overflown could not be told of.
        var stack = stack_t(ss_sp: stack, ss_flags: 0, ss_size: stackSize)
        sigaltstack(&stack, nil)
        for signal in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT] {
            install(signal, once: true) { signal in
                FailureRecorder.tell()
                raise(signal)
            }
        }
        install(SIGPROF, once: false) { _ in
            guard FailureRecorder.isStuck() else { return }
            abort()
        }
        let period = timeval(tv_sec: seconds, tv_usec: 0)
        var timer = itimerval(it_interval: period, it_value: period)
        setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &timer, nil)
    }

    /// Puts everything back, and leaves no folder of its own where nothing was saved.
    static func end() {
        var timer = itimerval()
        setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &timer, nil)
        for signal in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGPROF] { Glibc.signal(signal, SIG_DFL) }
        if named == nil { rmdir(folder) }
    }

    /// Takes down the input that is tried next.
    static func record(_ input: [UInt8]) {
        state.count = min(input.count, capacity)
        input.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return }
            state.bytes.update(from: base, count: state.count)
        }
        state.number += 1
    }

    /// Saves the input that was tried last, and says where.
    static func tell() {
        guard let path = state.path, let title = state.title else { return }
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        if file >= 0 {
            write(file, state.bytes, state.count)
            close(file)
        }
        write(STDERR_FILENO, title, strlen(title))
        write(STDERR_FILENO, path, strlen(path))
        write(STDERR_FILENO, ":\n", 2)
        for index in 0..<min(state.count, 4096) {
            let byte = state.bytes[index]
            var digits = (digit(byte >> 4), digit(byte & 15))
            write(STDERR_FILENO, &digits, 2)
        }
        write(STDERR_FILENO, "\n", 1)
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// Whether the same input is being tried as when this was called last.
    private static func isStuck() -> Bool {
        defer { state.numberBefore = state.number }
        return state.numberBefore == state.number
    }

    private static func install(_ signal: Int32, once: Bool, _ handler: @escaping @convention(c) (Int32) -> Void) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = handler
        action.sa_flags = SA_ONSTACK | SA_RESTART | (once ? Int32(bitPattern: UInt32(SA_RESETHAND)) : 0)
        sigaction(signal, &action, nil)
    }
}
