// The first images of a run, remembered: what models are compared on.
//
// They stay the same for the whole run, so that what changes is the model. Reduced to what the model sees of them they take
// little memory: 256 of them at 224 pixels 39 MB.

import Imaging
import Synchronization

/// Remembers pictures until it has enough; thread-safe.
final class ProbeSet: Sendable {
    /// Pictures remembered.
    static let capacity = 256

    private let side: Int
    private let state = Mutex<(pictures: [RGBImage], taken: Int)>(([], 0))

    /// Creates an empty set for a model that sees squares of `side` pixels.
    init(side: Int) { self.side = side }

    /// Remembers a picture, unless there are enough.
    func offer(_ picture: RGBImage) {
        // Resized outside of the lock, since several threads decode.
        let isWanted = state.withLock { state in
            guard state.taken < Self.capacity else { return false }
            state.taken += 1
            return true
        }
        guard isWanted else { return }
        let reduced = picture.resized(width: side, height: side)
        state.withLock { $0.pictures.append(reduced) }
    }

    /// The pictures so far, in an order that stays.
    var pictures: [RGBImage] { state.withLock { $0.pictures } }
}
