// Keeps a steady rate, or the times of a video's frames: deadlines are computed from the start, so that small delays do not
// add up.

import Glibc

/// Says when each image is due.
package struct Pacer {
    /// A feed that was held up for longer does not make up for it in a burst.
    private static let patience = Duration.seconds(1)

    private let interval: Duration
    private var start: ContinuousClock.Instant
    private var number = 1

    /// The image after the one sent at `start` is due an interval later.
    package init(rate: Double, start: ContinuousClock.Instant) {
        interval = .seconds(1) / rate
        self.start = start
    }

    /// When the next image is due, if one is sent at `now` at the earliest.
    package mutating func next(now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        var due = start + interval * number
        if now - due > Self.patience {
            start = now
            number = 0
            due = now
        }
        number += 1
        return due
    }
}

/// Says when each frame of a video is due, so that it is sent as it would be played.
package struct PlaybackClock {
    /// A video that was held up for longer goes on from there, and does not hurry after what it has missed.
    private static let patience = Duration.seconds(1)

    private var start: (time: Duration, instant: ContinuousClock.Instant)?
    private var last = Duration.zero

    /// A clock that has not seen a frame.
    package init() {}

    /// When the frame at `time` of its video is due, if one is sent at `now` at the earliest. A time that is before the
    /// last begins another video, or the same again.
    package mutating func due(_ time: Duration, now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        defer { last = time }
        if let start, time >= last {
            let due = start.instant + (time - start.time)
            if now - due <= Self.patience { return due }
        }
        start = (time, now)
        return now
    }
}

/// Waits until `deadline` or until `descriptor` is readable: whole milliseconds with `poll`, the rest with `nanosleep`.
func sleep(until deadline: ContinuousClock.Instant, orReadable descriptor: Int32) {
    while true {
        let left = deadline - .now
        guard left > .zero else { return }
        let (seconds, attoseconds) = left.components
        let milliseconds = Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000)
        if milliseconds > 0 {
            var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&item, 1, milliseconds) > 0 { return }
        } else {
            var time = timespec(tv_sec: 0, tv_nsec: Int(attoseconds / 1_000_000_000))
            nanosleep(&time, nil)
        }
    }
}
