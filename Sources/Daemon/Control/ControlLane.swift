// A thread that answers requests one after another, with a bounded queue in front.

import StreamProtocol

/// One of the control endpoint's threads.
final class ControlLane: Sendable {
    /// A request on its way to its answer.
    struct Job: Sendable {
        let request: ControlRequest
        let operation: ControlOperation
        /// Takes the answer's frames.
        let answer: @Sendable ([[UInt8]]) -> Void

        fileprivate func run() {
            do throws(ControlFailure) {
                answer(try operation.run(request).frames)
            } catch {
                answer(error.frames)
            }
        }
    }

    private struct State: Sendable {
        var jobs: [Job] = []
        var closed = false
    }

    /// Requests that may wait; a further one is told to come back later.
    static let capacity = 64

    private let state: Monitor<State>
    private let thread: WorkerThread

    /// Creates a lane whose thread is not running yet.
    init(_ lane: ControlOperation.Lane) {
        let state = Monitor(State())
        self.state = state
        // Trying a model takes as much as training does, and gives way to assigning likewise.
        thread = WorkerThread(
            name: "control-\(lane.rawValue)", stackSize: 16 << 20, niceness: lane == .model ? Trainer.niceness : 0
        ) {
            while let job = Self.next(state) { job.run() }
        }
    }

    private static func next(_ state: Monitor<State>) -> Job? {
        state.wait { state in
            if !state.jobs.isEmpty { return .done(state.jobs.removeFirst()) }
            return state.closed ? .done(nil) : .wait(until: nil)
        }
    }

    /// Queues a request, or says why it cannot be done now.
    func submit(_ job: Job) throws(ControlFailure) {
        let refusal: ControlFailure? = state.withLock { state in
            if state.closed { return ControlFailure(.unavailable, "the daemon is stopping") }
            guard state.jobs.count < Self.capacity else {
                return ControlFailure(.unavailable, "\(Self.capacity) requests of this kind are waiting already")
            }
            state.jobs.append(job)
            return nil
        }
        if let refusal { throw refusal }
    }

    /// Starts the thread; a second call does nothing.
    func start() { thread.start() }

    /// Takes no further request, answers those that wait, and waits for that.
    func stop() {
        state.withLock { $0.closed = true }
        thread.join()
    }
}
