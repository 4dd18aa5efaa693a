// What other threads ask of the trainer: it answers between two steps, since it alone has the learner.

import ContrastiveClustering
import StreamProtocol

/// A request to the trainer.
enum TrainerRequest: Sendable {
    /// A copy of the weights.
    case snapshot(Answer<WeightSnapshot>)
    /// A checkpoint of what has been learnt so far, unless there is one.
    case save(Answer<Void>)
    /// Other settings from now on.
    case adjust(learningRate: Float, CheckpointSchedule)
    /// Another model in the place of this one.
    case replace(Replacement, Answer<Replaced>)

    func refuse(_ refusal: TrainerRefusal) {
        switch self {
        case .snapshot(let answer): answer.give(.failure(refusal))
        case .save(let answer): answer.give(.failure(refusal))
        case .adjust: break
        case .replace(_, let answer): answer.give(.failure(refusal))
        }
    }
}

/// A model to go on with in the place of the present one, made ready as far as that is possible without the trainer.
struct Replacement: Sendable {
    /// The learner to train with from now on, which has taken `state` in.
    var learner: LearnerHandover
    /// Its weights, for the assigner.
    var snapshot: WeightSnapshot
    /// What goes into the model's checkpoint.
    var state: LearnerState
    /// What becomes of cluster numbers.
    var relabeling: RelabelingMessage
}

/// What has become of a replacement.
struct Replaced: Sendable {
    /// The learner of the model before, which nobody trains with any more.
    var before: LearnerHandover
    /// Is told whether the new model's checkpoint could be written.
    var written: Answer<Void>
}

/// Why the trainer did not do what was asked; nothing has changed.
package struct TrainerRefusal: Error, Sendable, CustomStringConvertible {
    /// One sentence.
    package let description: String

    /// Creates a refusal.
    package init(_ description: String) { self.description = description }

    static let ended = TrainerRefusal("training has ended")
}

/// An answer that one thread gives, once, and another waits for.
final class Answer<Value: Sendable>: Sendable {
    private let result = Monitor<Result<Value, TrainerRefusal>?>(nil)

    func give(_ result: Result<Value, TrainerRefusal>) { self.result.withLock { $0 = result } }

    func wait() throws(TrainerRefusal) -> Value {
        try result.wait { $0.map { .done($0) } ?? .wait(until: nil) }.get()
    }
}

/// The requests that wait for the trainer; thread-safe.
final class TrainerMailbox: Sendable {
    private let state = Monitor<(requests: [TrainerRequest], isClosed: Bool)>(([], false))

    /// Leaves a request; one that comes after `close` is refused at once.
    func post(_ request: TrainerRequest) {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.requests.append(request) }
            return state.isClosed
        }
        if isClosed { request.refuse(.ended) }
    }

    /// Takes out what is there.
    func takeAll() -> [TrainerRequest] {
        state.withLock { state in
            defer { state.requests = [] }
            return state.requests
        }
    }

    /// Refuses all that is there, and all that comes.
    func close() {
        let left = state.withLock { state in
            state.isClosed = true
            defer { state.requests = [] }
            return state.requests
        }
        left.forEach { $0.refuse(.ended) }
    }
}
