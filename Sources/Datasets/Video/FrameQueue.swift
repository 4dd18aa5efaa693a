// Between the thread that reads a video and the one that sends it: a few frames.
//
// A file's reader waits while the queue is full, and ffmpeg with it. A camera does not wait; of its frames the oldest goes,
// so that what is sent next is new.

import Foundation

/// A frame of a video.
package struct VideoFrame: Sendable, Equatable {
    /// Counts all frames that were read, from 0.
    package let number: Int
    /// Since the video's beginning, by its own clock.
    package let time: Duration
    /// When it was read, nanoseconds since 1970.
    package let read: Int64
    /// The JPEG.
    package let bytes: [UInt8]

    /// A frame of these parts.
    package init(number: Int, time: Duration, read: Int64, bytes: [UInt8]) {
        (self.number, self.time, self.read, self.bytes) = (number, time, read, bytes)
    }
}

/// A short queue of frames between two threads.
package final class FrameQueue: @unchecked Sendable {
    // Unchecked: what follows is touched only while `condition` is locked.
    static let capacity = 4

    private let dropsOldest: Bool
    private let condition = NSCondition()
    private var frames: [VideoFrame] = []
    private var isFinished = false
    private var isClosed = false
    private var error: DatasetError?

    /// A queue that is empty; of a full one the oldest frame goes where `dropsOldest`, and the writer waits otherwise.
    package init(dropsOldest: Bool) { self.dropsOldest = dropsOldest }

    /// Adds a frame, and waits for room unless the oldest may go.
    ///
    /// - Returns: false where nobody wants frames any more.
    package func push(_ frame: VideoFrame) -> Bool {
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
    package func finish(_ error: DatasetError?) {
        condition.withLock {
            self.error = error
            isFinished = true
            condition.broadcast()
        }
    }

    /// Says that no frame is wanted any more, and waits until `finish` has been called.
    package func close() {
        condition.withLock {
            isClosed = true
            condition.broadcast()
            while !isFinished { condition.wait() }
        }
    }

    /// The next frame; waits for it. At the end the error, if there is one, and then nil.
    package func next() -> Result<VideoFrame, DatasetError>? {
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
