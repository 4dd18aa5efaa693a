// A program that runs beside this one, with its output and its errors on pipes. It is ended and waited for with its owner.

import Glibc

/// A child process, used by one thread.
package final class ChildProcess {
    /// How long a child that was asked to end may take.
    private static let patience = Duration.seconds(2)

    /// Where its standard output is read.
    private(set) var output: Int32
    /// Where its standard error is read.
    let errors: Int32
    private let process: pid_t
    private var status: Int32?

    /// A program that could not be started, by the system's number.
    package struct Failure: Error {
        let errorNumber: Int32
    }

    /// Starts a program: `posix_spawn`. It reads nothing, and takes signals as a fresh program does, whatever this process
    /// blocks or ignores. It stays in this process's group, so the keys of a terminal reach it too.
    package init(_ program: String, _ arguments: [String]) throws(Failure) {
        var (out, err): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
        guard pipe(&out) == 0 else { throw Failure(errorNumber: errno) }
        guard pipe(&err) == 0 else {
            let failure = errno
            for end in out { close(end) }
            throw Failure(errorNumber: failure)
        }
        for end in out + err { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let words = ([program] + arguments).map { strdup($0) }
        defer {
            for word in words { free(word) }
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
            close(out[1])
            close(err[1])
        }
        (output, errors) = (out[0], err[0])
        var process = pid_t()
        let result = posix_spawn(&process, program, &actions, &attributes, words + [nil], environ)
        self.process = process
        guard result == 0 else {
            // Nothing to wait for.
            status = -1
            throw Failure(errorNumber: result)
        }
    }

    deinit {
        end()
        if output >= 0 { close(output) }
        close(errors)
    }

    /// Asks the child to end, and kills it where it does not.
    ///
    /// - Returns: its exit code; that of a signal is 128 and its number.
    @discardableResult
    func end() -> Int32 {
        if let status { return status }
        // A write that waits for a reader does not hear a signal, but it fails when there is none.
        close(output)
        output = -1
        kill(process, SIGTERM)
        let deadline = ContinuousClock.now + Self.patience
        while ContinuousClock.now < deadline {
            if let status = reap(WNOHANG) { return status }
            poll(nil, 0, 5)
        }
        kill(process, SIGKILL)
        return wait()
    }

    /// Waits for the child to end by itself: `waitpid`.
    @discardableResult
    package func wait() -> Int32 {
        if let status { return status }
        while true { if let status = reap(0) { return status } }
    }

    private func reap(_ options: Int32) -> Int32? {
        var word: Int32 = 0
        let result = waitpid(process, &word, options)
        if result == 0 || (result < 0 && errno == EINTR) { return nil }
        // WIFSIGNALED, WTERMSIG and WEXITSTATUS, which are macros.
        let number = word & 0x7F
        status = result < 0 ? -1 : number == 0 ? word >> 8 & 0xFF : 128 + number
        return status
    }
}
