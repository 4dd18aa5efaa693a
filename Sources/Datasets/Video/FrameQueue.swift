// Between the thread that reads a video and the one that sends it: a few frames.
//
// A file's reader waits while the queue is full, and ffmpeg with it. A camera does not wait; of its frames the oldest goes,
// so that what is sent next is new.

import Foundation

/// A frame of a video.
struct VideoFrame: Sendable, Equatable {
    /// Counts all frames that were read, from 0.
    let number: Int
    /// Since the video's beginning, by its own clock.
    let time: Duration
    /// When it was read, nanoseconds since 1970.
    let read: Int64
    /// The JPEG.
    let bytes: [UInt8]
}

/// A short queue of frames between two threads.
final class FrameQueue: @unchecked Sendable {
    // Unchecked: what follows is touched only while `condition` is locked.
    static let capacity = 4

    private let dropsOldest: Bool
    private let condition = NSCondition()
    private var frames: [VideoFrame] = []
    private var isFinished = false
    private var isClosed = false
    private var error: DatasetError?

    init(dropsOldest: Bool) { self.dropsOldest = dropsOldest }

    /// Adds a frame, and waits for room unless the oldest may go.
    ///
    /// - Returns: false where nobody wants frames any more.
    func push(_ frame: VideoFrame) -> Bool {
        condition.withLock {
            while !dropsOldest, frames.count >= Self.capacity, !isClosed { condition.wait() }
            guard !isClosed else { return false }
            if frames.count >= Self.capacity { frames.removeFirst() }
            frames.append(frame)
            condition.broadcast()
            return true
        }
    }

    /// Says that no frame follows those in the queue, and why where that is an error.
    func finish(_ error: DatasetError?) {
        condition.withLock {
            self.error = error
            isFinished = true
            condition.broadcast()
        }
    }

    /// Says that no frame is wanted any more, and waits until `finish` has been called.
    func close() {
        condition.withLock {
            isClosed = true
            condition.broadcast()
            while !isFinished { condition.wait() }
        }
    }

    /// The next frame; waits for it. At the end the error, if there is one, and then nil.
    func next() -> Result<VideoFrame, DatasetError>? {
        condition.withLock {
            while frames.isEmpty, !isFinished { condition.wait() }
            if !frames.isEmpty {
                condition.broadcast()
                return .success(frames.removeFirst())
            }
            defer { error = nil }
            return error.map { .failure($0) }
        }
    }
}
