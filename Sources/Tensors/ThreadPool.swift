// Threads that stay alive between the parallel loops of a step, so that a loop costs microseconds to start.
//
// Tasks are taken one by one, in order, by whichever thread is free: a thread that the system interrupts does not hold up
// the others' work. Which thread runs a task must therefore not matter to its result; every task writes to its own place.

import CKernels
import Glibc
import Synchronization

/// A fixed set of threads that share the tasks of one loop at a time.
public final class ThreadPool: Sendable {
    /// How many threads work on a loop, the calling one among them.
    public let threadCount: Int
    private let shared: Shared

    /// Starts `threads` − 1 threads; the thread that calls `run` is the remaining one.
    ///
    /// - Parameter niceness: the scheduling priority of the threads started (0 as usual, 19 the lowest), see
    ///   `lowerPriority(to:)` for the calling thread's.
    public init(threads: Int, niceness: Int = 0) {
        precondition(threads > 0)
        threadCount = threads
        shared = Shared(workers: threads - 1)
        for index in 1..<max(1, threads) { shared.startWorker(index, niceness: niceness) }
    }

    deinit { shared.stop() }

    /// Calls `body` once for each task in 0 ..< `count`, on all threads, and returns when all calls have.
    ///
    /// One thread at a time may call this, and `body` may not.
    ///
    /// - Parameter body: gets the task and the number of the thread that it runs on, in 0 ..< `threadCount`.
    public func run(_ count: Int, _ body: (_ task: Int, _ thread: Int) -> Void) {
        if threadCount == 1 || count <= 1 {
            for task in 0..<count { body(task, 0) }
            return
        }
        shared.run(count, body)
    }

    /// Begins to call `body` once for each task in 0 ..< `count` on the threads that were started, and returns at once.
    ///
    /// Nothing else may be begun or run until `finish` has been called.
    public func begin(_ count: Int, _ body: @escaping @Sendable (_ task: Int, _ thread: Int) -> Void) {
        shared.begin(count, body)
    }

    /// Takes part in what was begun, and returns when all its calls have returned.
    public func finish() { shared.finish() }

    /// Gives the calling thread a lower scheduling priority; setpriority(2) applies to single threads on Linux.
    public static func lowerPriority(to niceness: Int) {
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Int32(niceness))
    }

    /// How many processors this process may use: sched_getaffinity(2).
    public static var processorCount: Int { Int(ck_processor_count()) }
}

/// What the threads share.
private final class Shared: @unchecked Sendable {
    // Unchecked: `body` is written while no worker is awake, and read only by those that `generation` has woken.
    private var body: ((Int, Int) -> Void)?
    private var count = 0
    private let workers: Int
    private let next = Atomic<Int>(0)
    private let generation = Atomic<UInt32>(0)
    private let stillWorking = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let started = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let finished = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    /// How often a thread looks for work before it sleeps: some ten microseconds, about what waking it costs.
    private static let spins = 2_000

    init(workers: Int) {
        self.workers = workers
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(started, nil)
        pthread_cond_init(finished, nil)
    }

    deinit {
        pthread_cond_destroy(finished)
        pthread_cond_destroy(started)
        pthread_mutex_destroy(mutex)
        finished.deallocate()
        started.deallocate()
        mutex.deallocate()
    }

    func startWorker(_ index: Int, niceness: Int) {
        final class Start {
            let shared: Shared, index: Int, niceness: Int
            init(_ shared: Shared, _ index: Int, _ niceness: Int) {
                (self.shared, self.index, self.niceness) = (shared, index, niceness)
            }
        }
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 8 << 20)
        var thread = pthread_t()
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                if start.niceness != 0 { ThreadPool.lowerPriority(to: start.niceness) }
                start.shared.work(as: start.index)
                return nil
            },
            Unmanaged.passRetained(Start(self, index, niceness)).toOpaque())
        precondition(status == 0, "cannot start a thread: \(String(cString: strerror(status)))")
    }

    func run(_ count: Int, _ body: (Int, Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            begin(count, body)
            finish()
        }
    }

    func begin(_ count: Int, _ body: @escaping (Int, Int) -> Void) {
        precondition(self.body == nil, "the loop before has not been finished")
        self.body = body
        self.count = count
        next.store(0, ordering: .relaxed)
        stillWorking.store(workers, ordering: .relaxed)
        pthread_mutex_lock(mutex)
        generation.add(1, ordering: .releasing)
        pthread_cond_broadcast(started)
        pthread_mutex_unlock(mutex)
    }

    func finish() {
        takeTasks(as: 0)
        waitForWorkers()
        body = nil
    }

    func stop() {
        pthread_mutex_lock(mutex)
        stopping.store(true, ordering: .relaxed)
        generation.add(1, ordering: .releasing)
        pthread_cond_broadcast(started)
        pthread_mutex_unlock(mutex)
    }

    private func takeTasks(as thread: Int) {
        guard let body else { return }
        while true {
            let task = next.add(1, ordering: .relaxed).oldValue
            guard task < count else { return }
            body(task, thread)
        }
    }

    private func waitForWorkers() {
        for _ in 0..<Self.spins where stillWorking.load(ordering: .acquiring) == 0 { return }
        pthread_mutex_lock(mutex)
        while stillWorking.load(ordering: .acquiring) != 0 { pthread_cond_wait(finished, mutex) }
        pthread_mutex_unlock(mutex)
    }

    private func work(as index: Int) {
        var seen: UInt32 = 0
        while true {
            seen = waitForGeneration(after: seen)
            if stopping.load(ordering: .relaxed) { return }
            takeTasks(as: index)
            if stillWorking.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
                pthread_mutex_lock(mutex)
                pthread_cond_signal(finished)
                pthread_mutex_unlock(mutex)
            }
        }
    }

    private func waitForGeneration(after seen: UInt32) -> UInt32 {
        for _ in 0..<Self.spins {
            let current = generation.load(ordering: .acquiring)
            if current != seen { return current }
        }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while generation.load(ordering: .acquiring) == seen { pthread_cond_wait(started, mutex) }
        return generation.load(ordering: .acquiring)
    }
}
