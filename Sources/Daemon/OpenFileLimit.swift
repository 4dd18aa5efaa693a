// Room for connections: each takes a file descriptor, and so do checkpoints and the journal.

import Glibc

/// The process's limit of open files.
package enum OpenFileLimit {
    /// Raises it to what the system allows, as daemons are advised to that do not use select(2): setrlimit(2).
    ///
    /// - Returns: the limit from now on.
    @discardableResult
    package static func raise() -> UInt64 {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        let soft = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        return setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
            ? UInt64(limit.rlim_cur) : UInt64(soft)
    }
}
