// The images of one source that wait to be decoded, and what becomes of those that do not fit.
//
// A plain value; IngressQueues puts it behind a lock.

import StreamProtocol

/// An image that a full queue did not keep.
package struct DroppedImage: Sendable {
    /// Why; the value is the reason that the `rejected/` message gives.
    package enum Reason: String, Sendable, CaseIterable {
        /// It had waited longest of its sender's when the queue became too full.
        case droppedOldest = "dropped-oldest"
        /// It had come last of its sender's when the queue became too full.
        case droppedNewest = "dropped-newest"
        /// It arrived after the queue was closed.
        case stopping
    }

    /// The image.
    package var image: IncomingImage
    /// Why it was dropped.
    package var reason: Reason
}

/// What became of an image that was offered to a queue, and of others for its sake.
package struct Admission: Sendable {
    /// Whether the image is in the queue.
    package var isAdmitted: Bool
    /// The images that were dropped, the one offered perhaps among them.
    package var dropped: [DroppedImage]
}

/// A queue bounded by images and by bytes, in which each sender has a lane.
///
/// A sender's images keep their order. Senders are served in turn, and a full queue drops of the sender that has most waiting:
/// so one that floods the source neither delays nor displaces the images of another.
package struct IngressQueue: Sendable {
    private let overload: SourceSettings.Overload
    private let limits: QueueLimits
    private let largestImage: Int
    // Searched from end to end: there are as many as senders with images waiting, at most as many as images.
    private var lanes: [SenderLane] = []
    /// The lane whose turn it is.
    private var turn = 0
    /// Images that wait.
    package private(set) var count = 0
    /// Bytes of the payloads that wait.
    package private(set) var byteCount = 0

    /// Creates an empty queue for images of at most `largestImage` bytes, which `limits.maxBytes` must allow for.
    package init(overload: SourceSettings.Overload, limits: QueueLimits, largestImage: Int) {
        precondition(limits.maxImages > 0 && limits.maxBytes >= largestImage, "the queue must hold an image")
        self.overload = overload
        self.limits = limits
        self.largestImage = largestImage
    }

    /// Whether any image, however large, would fit.
    package var hasRoom: Bool { fits(largestImage) }

    /// Takes an image in.
    ///
    /// A source that blocks may offer only while `hasRoom`: it has nothing to drop.
    ///
    package mutating func offer(_ image: IncomingImage) -> Admission {
        precondition(image.payload.count <= largestImage, "larger than the message limits allow")
        precondition(overload != .block || fits(image.payload.count), "read only while the queue has room")
        let lane = lanes.firstIndex { $0.sender == image.source } ?? lanes.endIndex
        if lane == lanes.endIndex { lanes.append(SenderLane(sender: image.source)) }
        lanes[lane].append(image)
        count += 1
        byteCount += image.payload.count
        var dropped: [DroppedImage] = []
        while count > limits.maxImages || byteCount > limits.maxBytes, let drop = drop() { dropped.append(drop) }
        // As its sender's newest it is the first of them to go from one end, and the last from the other.
        let isAdmitted =
            overload == .dropNewest
            ? !dropped.contains { $0.image.source == image.source } : lanes.contains { $0.sender == image.source }
        return Admission(isAdmitted: isAdmitted, dropped: dropped)
    }

    /// Takes out an image, of each sender in turn the one that has waited longest; nil where none waits.
    package mutating func take() -> IncomingImage? {
        guard !lanes.isEmpty else { return nil }
        let lane = turn
        turn = (lane + 1) % lanes.count
        return take(from: lane) { $0.takeOldest() }
    }

    private mutating func drop() -> DroppedImage? {
        guard let heaviest = lanes.indices.max(by: { weight(lanes[$0]) < weight(lanes[$1]) }) else { return nil }
        let reason: DroppedImage.Reason = overload == .dropNewest ? .droppedNewest : .droppedOldest
        let image = take(from: heaviest) { reason == .droppedNewest ? $0.takeNewest() : $0.takeOldest() }
        return image.map { DroppedImage(image: $0, reason: reason) }
    }

    /// What a lane takes of the queue: bytes, and places at what bytes a place is worth.
    private func weight(_ lane: SenderLane) -> Int {
        lane.byteCount + lane.count * (limits.maxBytes / limits.maxImages)
    }

    private mutating func take(
        from lane: Int, _ body: (inout SenderLane) -> IncomingImage?
    ) -> IncomingImage? {
        guard let image = body(&lanes[lane]) else { return nil }
        count -= 1
        byteCount -= image.payload.count
        if lanes[lane].count == 0 {
            lanes.remove(at: lane)
            if turn > lane { turn -= 1 }
            if turn >= lanes.count { turn = 0 }
        }
        return image
    }

    private func fits(_ bytes: Int) -> Bool { count < limits.maxImages && byteCount + bytes <= limits.maxBytes }
}
