// A value behind a lock, with waiting for it to become what is needed: what the pipeline's queues are built on.
//
// Not an actor: those who wait are threads that block, on purpose, outside Swift's cooperative pool. Deadlines are taken
// on the monotonic clock, so setting the machine's time neither cuts a wait short nor makes it endless.

import Glibc

/// A moment on the monotonic clock.
package struct MonotonicTime: Sendable, Comparable {
    /// Nanoseconds since some moment in the past.
    package let nanoseconds: UInt64

    /// Creates a moment.
    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// This moment; `clock_gettime(CLOCK_MONOTONIC)`.
    package static var now: MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    /// The moment `seconds` later.
    package func advanced(bySeconds seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: nanoseconds &+ UInt64(max(0, min(seconds, 1e9)) * 1e9))
    }

    /// Seconds since `earlier`; 0 where that is not earlier.
    package func seconds(since earlier: MonotonicTime) -> Double {
        nanoseconds > earlier.nanoseconds ? Double(nanoseconds - earlier.nanoseconds) * 1e-9 : 0
    }

    /// Whether `a` is before `b`.
    package static func < (a: MonotonicTime, b: MonotonicTime) -> Bool { a.nanoseconds < b.nanoseconds }
}

/// What a look at a monitored value decided.
package enum Look<Result> {
    /// The wait is over.
    case done(Result)
    /// Not yet: look again when the value has changed, or at this moment.
    case wait(until: MonotonicTime?)
}

/// A value that threads change and wait for, one at a time.
package final class Monitor<State: Sendable>: @unchecked Sendable {
    // Unchecked: `state` is touched only while `mutex` is held.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    /// Creates a monitor of `state`.
    package init(_ state: State) {
        self.state = state
        mutex = .allocate(capacity: 1)
        changed = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// Reads or changes the value, and wakes all that wait for it.
    package func withLock<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(mutex)
        }
        return try body(&state)
    }

    /// Reads the value, waking nobody.
    package func read<Result>(_ body: (State) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(state)
    }

    /// Looks at the value, and again after every change, until `body` is done; what it then changed wakes the others.
    package func wait<Result>(_ body: (inout State) -> Look<Result>) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            switch body(&state) {
            case .done(let result):
                pthread_cond_broadcast(changed)
                return result
            case .wait(until: nil):
                pthread_cond_wait(changed, mutex)
            case .wait(until: let moment?):
                var time = timespec(
                    tv_sec: Int(moment.nanoseconds / 1_000_000_000), tv_nsec: Int(moment.nanoseconds % 1_000_000_000))
                pthread_cond_timedwait(changed, mutex, &time)
            }
        }
    }
}
