// What waits for the assigner: decoded images, and the newest weights.
//
// Both in one queue so that the assigner waits in one place. Weights come as a learner that has taken them in already; taking
// them over is an exchange of two learners, and no image waits for it. A batch waits for company only while company is on its way (an image being decoded):
// alone on a quiet stream an image is answered at once, and on a busy one batches form while the assigner works.

import ContrastiveClustering
import Imaging
import StreamProtocol

/// An image on its way to the assigner.
package struct DecodedImage: Sendable {
    /// The image as it arrived, its payload let go.
    package var origin: IncomingImage
    /// Its pixels.
    package var picture: RGBImage

    /// Creates a decoded image; `origin.payload` is dropped.
    package init(origin: IncomingImage, picture: RGBImage) {
        self.origin = origin
        self.origin.payload = []
        self.picture = picture
    }
}

/// The bounded first-in, first-out queue between decoding and assigning.
package final class AssignQueue: Sendable {
    /// What the assigner is to do next, the weights first.
    package struct Work: Sendable {
        /// Newer weights, and the learner that has them.
        package var update: PreparedUpdate?
        /// Images to assign, at most `maximumBatch`.
        package var images: [DecodedImage]
    }

    private struct State: Sendable {
        var images: [(image: DecodedImage, arrived: MonotonicTime)] = []
        var bytes = 0
        var onTheirWay = 0
        /// What nobody has begun to prepare.
        var update: ModelUpdate?
        /// What the assigner has not taken yet.
        var prepared: PreparedUpdate?
        /// The learner that does not serve.
        var spare: LearnerHandover?
        var largestBatch = 0
        var closed = false
        var maximumBatch: Int
        var maximumDelay: Double
    }

    private let state: Monitor<State>
    private let maximumBytes: Int

    /// Creates a queue.
    ///
    /// - Parameters:
    ///   - maximumBatch: images a batch.
    ///   - maximumDelay: seconds that the first image of a batch waits for further ones.
    ///   - maximumBytes: bytes of pixels; one image is let in whatever its size.
    package init(maximumBatch: Int, maximumDelay: Double, maximumBytes: Int = 256 << 20) {
        precondition(maximumBatch > 0 && maximumDelay >= 0 && maximumBytes > 0)
        state = Monitor(State(maximumBatch: maximumBatch, maximumDelay: maximumDelay))
        self.maximumBytes = maximumBytes
    }

    /// Makes batches of at most `maximumBatch` images from now on, the first of which waits `maximumDelay` seconds for others.
    package func setLimits(maximumBatch: Int, maximumDelay: Double) {
        precondition(maximumBatch > 0 && maximumDelay >= 0)
        state.withLock { state in
            state.maximumBatch = maximumBatch
            state.maximumDelay = maximumDelay
        }
    }

    /// Images in the queue.
    package var count: Int { state.read { $0.images.count } }

    /// Says that an image is being decoded; `push` or `abandon` must follow.
    package func expect() { state.withLock { $0.onTheirWay += 1 } }

    /// Says that an expected image will not come.
    package func abandon() { state.withLock { $0.onTheirWay -= 1 } }

    /// Puts an expected image in, waiting for room.
    package func push(_ image: DecodedImage) {
        state.wait { state -> Look<Void> in
            let bytes = image.picture.pixels.count
            guard
                state.images.isEmpty
                    || (state.images.count < 4 * state.maximumBatch && state.bytes + bytes <= maximumBytes)
            else { return .wait(until: nil) }
            state.onTheirWay -= 1
            state.bytes += bytes
            state.images.append((image, .now))
            return .done(())
        }
    }

    /// Says that no further image will come.
    package func close() { state.withLock { $0.closed = true } }

    // MARK: Weights

    /// Whether the weights last offered have been taken, so that it is worth copying new ones.
    package var wantsUpdate: Bool { state.read { $0.update == nil } }

    /// Leaves weights for the assigner, in the place of any that nobody has begun to prepare; what those said of cluster
    /// numbers is said all the same.
    package func offer(_ update: ModelUpdate) {
        state.withLock { state in
            let untold = state.update?.relabelings ?? []
            state.update = update
            state.update?.relabelings = untold + update.relabelings
        }
    }

    /// Waits for weights and a learner to take them in; nil where the queue is closed.
    ///
    /// - Returns: also the size of the largest batch so far.
    func nextToPrepare() -> (update: ModelUpdate, learner: LearnerHandover, largestBatch: Int)? {
        state.wait { state in
            if state.closed { return .done(nil) }
            guard let update = state.update, let spare = state.spare else { return .wait(until: nil) }
            (state.update, state.spare) = (nil, nil)
            return .done((update, spare, state.largestBatch))
        }
    }

    /// Leaves weights that a learner has taken in for the assigner.
    func offer(_ prepared: PreparedUpdate) { state.withLock { $0.prepared = prepared } }

    /// Leaves a learner that does not serve for the weights that come next.
    func giveBack(_ learner: LearnerHandover) { state.withLock { $0.spare = learner } }

    // MARK: Taking

    /// Waits for something to do; nil where the queue is closed and empty.
    package func next() -> Work? {
        state.wait { state in
            guard let first = state.images.first else {
                if let update = state.prepared {
                    state.prepared = nil
                    return .done(Work(update: update, images: []))
                }
                return state.closed ? .done(nil) : .wait(until: nil)
            }
            let deadline = first.arrived.advanced(bySeconds: state.maximumDelay)
            let companyIsComing = state.onTheirWay > 0 && !state.closed && state.bytes < maximumBytes
            if state.images.count < state.maximumBatch && companyIsComing && MonotonicTime.now < deadline {
                return .wait(until: deadline)
            }
            let taken = state.images.prefix(state.maximumBatch).map(\.image)
            state.images.removeFirst(taken.count)
            state.bytes -= taken.reduce(0) { $0 + $1.picture.pixels.count }
            state.largestBatch = max(state.largestBatch, taken.count)
            defer { state.prepared = nil }
            return .done(Work(update: state.prepared, images: taken))
        }
    }
}
