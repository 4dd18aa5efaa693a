// Tells ThreadSanitizer of Synchronization.Mutex, which it cannot see into where two threads want it at once.
//
// The quick way of locking is compiled, and so instrumented, into its user. But a thread that has to wait calls
// _MutexHandle._lockSlow in the toolchain's library, which is not instrumented: what the mutex guards then looks unordered.
// Loaded first (LD_PRELOAD), these stand before the library's functions, do the same by calling them, and say what it means.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *

// Absent from the programs that a test starts.
__attribute__((weak)) void __tsan_acquire(void *);
__attribute__((weak)) void __tsan_release(void *);

SWIFT void lock_slow(uint32_t thread, SELF self) __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
SWIFT bool try_lock_slow(SELF self) __asm__("$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF");
SWIFT void unlock_slow(SELF self) __asm__("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");

static void *next(const char *symbol) {
    void *function = dlsym(RTLD_NEXT, symbol);
    if (!function) __builtin_trap();
    return function;
}

SWIFT void lock_slow(uint32_t thread, SELF self) {
    SWIFT void (*original)(uint32_t, SELF) = next("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
    original(thread, self);
    if (__tsan_acquire) __tsan_acquire(self);
}

SWIFT bool try_lock_slow(SELF self) {
    SWIFT bool (*original)(SELF) = next("$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF");
    bool locked = original(self);
    if (locked && __tsan_acquire) __tsan_acquire(self);
    return locked;
}

SWIFT void unlock_slow(SELF self) {
    if (__tsan_release) __tsan_release(self);
    SWIFT void (*original)(SELF) = next("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");
    original(self);
}
