// The images of one source that wait to be decoded, and what becomes of those that do not fit.
//
// A plain value; IngressQueues puts it behind a lock.

import StreamProtocol

/// An image that a full queue did not keep.
package struct DroppedImage: Sendable {
    /// Why; the value is the reason that the `rejected/` message gives.
    package enum Reason: String, Sendable, CaseIterable {
        /// It had waited longest when another arrived.
        case droppedOldest = "dropped-oldest"
        /// It arrived at a full queue.
        case droppedNewest = "dropped-newest"
        /// It arrived after the queue was closed.
        case stopping
    }

    /// The image.
    package var image: IncomingImage
    /// Why it was dropped.
    package var reason: Reason
}

/// A first-in, first-out queue bounded by images and by bytes.
package struct IngressQueue: Sendable {
    private let overload: SourceSettings.Overload
    private let limits: QueueLimits
    private let largestImage: Int
    // A ring would have to be sized for the worst case; the consumed front is given up in one go now and then instead.
    private var images: [IncomingImage?] = []
    private var head = 0
    /// Bytes of the payloads that wait.
    package private(set) var byteCount = 0

    /// Creates an empty queue for images of at most `largestImage` bytes, which `limits.maxBytes` must allow for.
    package init(overload: SourceSettings.Overload, limits: QueueLimits, largestImage: Int) {
        precondition(limits.maxImages > 0 && limits.maxBytes >= largestImage, "the queue must hold an image")
        self.overload = overload
        self.limits = limits
        self.largestImage = largestImage
    }

    /// Images that wait.
    package var count: Int { images.count - head }

    /// Whether any image, however large, would fit.
    package var hasRoom: Bool { fits(largestImage) }

    /// Takes an image in.
    ///
    /// A source that blocks may offer only while `hasRoom`: it has nothing to drop.
    ///
    /// - Returns: the images dropped for it, or the image itself where it was dropped.
    package mutating func offer(_ image: IncomingImage) -> [DroppedImage] {
        precondition(image.payload.count <= largestImage, "larger than the message limits allow")
        var dropped: [DroppedImage] = []
        if !fits(image.payload.count) {
            switch overload {
            case .block: preconditionFailure("a source that blocks is read only while its queue has room")
            case .dropNewest: return [DroppedImage(image: image, reason: .droppedNewest)]
            case .dropOldest:
                while !fits(image.payload.count), let oldest = take() {
                    dropped.append(DroppedImage(image: oldest, reason: .droppedOldest))
                }
            }
        }
        images.append(image)
        byteCount += image.payload.count
        return dropped
    }

    /// Takes out the image that has waited longest; nil where none waits.
    package mutating func take() -> IncomingImage? {
        guard head < images.count, let image = images[head] else { return nil }
        images[head] = nil
        head += 1
        byteCount -= image.payload.count
        if head > 64, head * 2 > images.count {
            images.removeFirst(head)
            head = 0
        }
        return image
    }

    private func fits(_ bytes: Int) -> Bool { count < limits.maxImages && byteCount + bytes <= limits.maxBytes }
}
