// The queues between the Gateway and the decoding workers: one a source, served in turn.
//
// Serving in turn keeps a busy source from starving another. Each image of a PUSH sender that may wait is to be trained on,
// so it is admitted only while training has room for one more, with its place reserved: what waits for training waits with
// its sender, and what has been admitted is answered at once. Other sources are served whether training has room or not.

import StreamProtocol

/// An image on its way to a decoding worker.
package struct TakenImage: Sendable {
    /// The image.
    package var image: IncomingImage
    /// The position of its source among the configured ones.
    package var source: Int
    /// Whether a place in training has been reserved for it; always so where its source waits for training, unless that is
    /// paused.
    package var hasTrainingRoom: Bool
}

/// All sources' queues; thread-safe.
package final class IngressQueues: Sendable {
    private struct State: Sendable {
        var queues: [IngressQueue]
        /// Places in training reserved for a source's images in its queue.
        var reserved: [Int]
        var training: TrainingBuffer?
        /// Whether nothing is trained on.
        var isAssigningOnly = false
        /// Whether sources that block admit images without a place in training.
        var admitsWhatIsLeft = false
        /// Whether images wait although there is room, for a model that can answer them.
        var isHeld = false
        var nextSource = 0
        var isClosed = false
    }

    private enum Taking {
        case image(TakenImage, madeRoom: Bool)
        case ended
    }

    /// How much may wait for each source.
    package let limits: QueueLimits
    private let sources: [SourceSettings]
    private let onRoom: @Sendable () -> Void
    private let state: Monitor<State>

    /// Creates an empty queue for each source.
    ///
    /// - Parameters:
    ///   - largestImage: the bytes that an image's payload may have.
    ///   - onRoom: called when a source that blocks may have room again, on the thread that made it.
    package init(
        sources: [SourceSettings], limits: QueueLimits, largestImage: Int,
        onRoom: @escaping @Sendable () -> Void = {}
    ) {
        self.sources = sources
        self.limits = limits
        self.onRoom = onRoom
        state = Monitor(
            State(
                queues: sources.map {
                    IngressQueue(overload: $0.overload, limits: limits, largestImage: largestImage)
                }, reserved: Array(repeating: 0, count: sources.count)))
    }

    /// Has sources that wait for training admit images only while `training` has room for them.
    package func admit(asLongAs training: TrainingBuffer) { state.withLock { $0.training = training } }

    /// Has no source wait for training, since there is none.
    package func admitForAssigningOnly() { state.withLock { $0.isAssigningOnly = true } }

    /// Has sources admit images as long as their queues have room, training or not: at the end nothing more comes, and what
    /// waits gets its place in training when it is taken.
    package func admitWhatIsLeft() { state.withLock { $0.admitsWhatIsLeft = true } }

    /// Gives no image out, and leaves those of sources that block with their senders, until `release`.
    package func hold() { state.withLock { $0.isHeld = true } }

    /// Whether images wait for `release`.
    package var isHeld: Bool { state.read { $0.isHeld } }

    /// Lets images go on.
    package func release() {
        state.withLock { $0.isHeld = false }
        onRoom()
    }

    /// Takes out all images, which nobody will answer.
    package func removeAll() -> [IncomingImage] {
        state.withLock { state in
            var images: [IncomingImage] = []
            for source in state.queues.indices {
                while let image = state.queues[source].take() { images.append(image) }
            }
            return images
        }
    }

    /// Whether a source's socket may be read: always, unless it blocks and its queue is full, or training is that it waits
    /// for, or no model can answer yet. A pause of training holds nobody up.
    package func mayRead(source: Int) -> Bool {
        let settings = sources[source]
        guard settings.overload == .block else { return true }
        return state.read { state in
            guard state.queues[source].hasRoom, !state.isHeld || state.admitsWhatIsLeft else { return false }
            guard settings.waitsForTraining, !state.admitsWhatIsLeft, let training = state.training else { return true }
            return training.hasRoom || training.isPaused
        }
    }

    /// Puts an image of a source for which `mayRead` holds in its queue. One thread offers.
    package func offer(_ image: IncomingImage, source: Int) -> Admission {
        state.withLock { state in
            if state.isClosed {
                return Admission(isAdmitted: false, dropped: [DroppedImage(image: image, reason: .stopping)])
            }
            if sources[source].waitsForTraining, !state.admitsWhatIsLeft, state.training?.reserve() ?? false {
                state.reserved[source] += 1
            }
            return state.queues[source].offer(image)
        }
    }

    /// Waits for an image and takes it, sources in turn.
    ///
    /// - Parameter trainingRoom: reserves a place in training, for an image that has none, and says whether there was one;
    ///   asked at most once, with the queues locked, so it must not call them. What it reserves goes with the image returned.
    /// - Returns: nil once the queues are closed and empty, or closed and held.
    package func take(trainingRoom: () -> Bool) -> TakenImage? {
        let taking: Taking = state.wait { state in
            if state.isHeld { return state.isClosed ? .done(.ended) : .wait(until: nil) }
            let isTraining = !state.isAssigningOnly && state.training?.isPaused != true
            var hasTrainingRoom: Bool?
            for offset in 0..<sources.count {
                let source = (state.nextSource + offset) % sources.count
                guard state.queues[source].count > 0 else { continue }
                let wasReserved = state.reserved[source] > 0
                let reserved = wasReserved || hasTrainingRoom ?? trainingRoom()
                if wasReserved { state.reserved[source] -= 1 } else { hasTrainingRoom = reserved }
                if sources[source].waitsForTraining, !reserved, isTraining { continue }
                let wasFull = sources[source].overload == .block && !state.queues[source].hasRoom
                guard let image = state.queues[source].take() else { continue }
                state.nextSource = (source + 1) % sources.count
                let taken = TakenImage(image: image, source: source, hasTrainingRoom: reserved)
                return .done(.image(taken, madeRoom: wasFull && state.queues[source].hasRoom))
            }
            let isEmpty = state.queues.allSatisfy { $0.count == 0 }
            return state.isClosed && isEmpty ? .done(.ended) : .wait(until: nil)
        }
        guard case .image(let image, let madeRoom) = taking else { return nil }
        if madeRoom { onRoom() }
        return image
    }

    /// Lets those who wait in `take` ask again whether training has room, and sources that block be read; to be called
    /// whenever it gets some.
    package func trainingRoomFreed() {
        state.withLock { _ in }
        onRoom()
    }

    /// Says that no further image will come: what waits can still be taken.
    package func close() { state.withLock { $0.isClosed = true } }

    /// How many images and bytes wait for each source, in the order of the configuration.
    package var depths: [(images: Int, bytes: Int)] {
        state.read { $0.queues.map { ($0.count, $0.byteCount) } }
    }
}
