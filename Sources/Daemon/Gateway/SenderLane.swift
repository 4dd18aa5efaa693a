// What waits of one sender's images in a source's queue, oldest first.

import StreamProtocol

/// The images of one sender; a plain value.
struct SenderLane: Sendable {
    /// The name that the sender gives itself.
    let sender: String
    // A ring would have to be sized for the worst case; the consumed front is given up in one go now and then instead.
    private var images: [IncomingImage?] = []
    private var head = 0
    /// Bytes of the payloads that wait.
    private(set) var byteCount = 0

    /// Creates an empty lane.
    init(sender: String) { self.sender = sender }

    /// Images that wait.
    var count: Int { images.count - head }

    /// Adds an image after the others.
    mutating func append(_ image: IncomingImage) {
        images.append(image)
        byteCount += image.payload.count
    }

    /// Takes out the image that has waited longest; nil where none waits.
    mutating func takeOldest() -> IncomingImage? {
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

    /// Takes out the image that has come last; nil where none waits.
    mutating func takeNewest() -> IncomingImage? {
        guard head < images.count, let image = images.removeLast() else { return nil }
        byteCount -= image.payload.count
        return image
    }
}
