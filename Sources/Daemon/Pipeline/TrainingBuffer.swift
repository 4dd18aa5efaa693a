// The images that wait to be trained on: the mini-batch being filled and one more.
//
// A place is reserved before an image is decoded, for a source that blocks even before it is admitted. So whoever finds no
// place leaves such an image to its sender, and every image that has one is trained on; memory stays bounded.

import Imaging

/// The bounded first-in, first-out buffer between decoding and training.
package final class TrainingBuffer: Sendable {
    /// What the trainer gets.
    package enum Next: Sendable {
        /// Exactly one mini-batch, in order of arrival.
        case batch([RGBImage])
        /// What is left after the last whole mini-batch, fewer than one unless training is paused; the buffer is closed and
        /// empty now.
        case rest([RGBImage])
        /// Neither: the moment passed, or `wake` was called.
        case nothing
    }

    private struct State: Sendable {
        var images: [RGBImage] = []
        var reserved = 0
        var woken = false
        var paused = false
        var closed = false
    }

    /// Images a mini-batch.
    package let batchSize: Int
    /// Images the buffer holds, reserved places among them.
    package let capacity: Int
    private let state = Monitor(State())
    private let onRoom: @Sendable () -> Void

    /// Creates a buffer of two mini-batches; `onRoom` is called whenever a place becomes free.
    package init(batchSize: Int, onRoom: @escaping @Sendable () -> Void) {
        precondition(batchSize >= 2, "a mini-batch has at least two images")
        self.batchSize = batchSize
        self.capacity = 2 * batchSize
        self.onRoom = onRoom
    }

    /// Images in the buffer.
    package var count: Int { state.read { $0.images.count } }

    /// Images in the buffer, and places reserved for images that are being decoded.
    package var occupied: Int { state.read { $0.images.count + $0.reserved } }

    /// Whether there is a place to reserve.
    package var hasRoom: Bool { !isPaused && occupied < capacity }

    /// Whether training is paused: no image gets a place, and no mini-batch is given out.
    package var isPaused: Bool { state.read { $0.paused } }

    /// Pauses training or lets it go on; what has a place keeps it.
    package func setPaused(_ paused: Bool) {
        state.withLock { $0.paused = paused }
        onRoom()
    }

    /// Reserves a place for an image still to be decoded; false where the buffer is full or training is paused.
    package func reserve() -> Bool {
        state.withLock { state in
            guard !state.paused, state.images.count + state.reserved < capacity else { return false }
            state.reserved += 1
            return true
        }
    }

    /// Gives a reserved place back, the image having turned out unreadable.
    package func release() {
        state.withLock { state in
            precondition(state.reserved > 0, "no place is reserved")
            state.reserved -= 1
        }
        onRoom()
    }

    /// Puts an image in the place reserved for it.
    package func fill(_ image: RGBImage) {
        state.withLock { state in
            precondition(state.reserved > 0, "no place is reserved")
            state.reserved -= 1
            state.images.append(image)
        }
    }

    /// Says that no further image will come.
    package func close() { state.withLock { $0.closed = true } }

    /// Lets whoever waits in `next`, now or the next time, look after something else.
    package func wake() { state.withLock { $0.woken = true } }

    /// Whether a whole mini-batch is waiting and training is not paused.
    package var holdsBatch: Bool { state.read { !$0.paused && $0.images.count >= batchSize } }

    /// The mini-batch that `next` gives next, where it has come whole; empty otherwise. It stays where it is.
    package var upcoming: [RGBImage] {
        state.read { $0.images.count >= batchSize ? Array($0.images.prefix(batchSize)) : [] }
    }

    /// Waits for a whole mini-batch, for the end, until `deadline` or for `wake`. While training is paused no mini-batch
    /// comes, and at the end all that waits is the rest.
    package func next(until deadline: MonotonicTime?) -> Next {
        let next: Next = state.wait { state in
            if !state.paused, state.images.count >= batchSize {
                let batch = Array(state.images.prefix(batchSize))
                state.images.removeFirst(batchSize)
                return .done(.batch(batch))
            }
            if state.closed && state.reserved == 0 {
                let rest = state.images
                state.images.removeAll()
                return .done(.rest(rest))
            }
            if state.woken || deadline.map({ MonotonicTime.now >= $0 }) ?? false {
                state.woken = false
                return .done(.nothing)
            }
            return .wait(until: deadline)
        }
        if case .batch = next { onRoom() }
        return next
    }
}
