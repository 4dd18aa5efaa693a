// Sends images to a daemon, one after another, in clusterd's dialect.
//
// Runs on the caller's thread until the images end, the stop signal is given or the receiver is given up. Images are
// numbered from 1 without holes, which the daemon takes for the beginning of a run.

import Datasets
import Glibc
import Remote
import StreamProtocol

/// Sends one stream of images; for one run.
///
/// ```swift
/// let feeder = Feeder(settings: try FeedSettings(rate: 10), stop: try StopSignal())
/// try feeder.run(try ImageStream(opening: ["photos/"])) { event in print(event) }
/// print(feeder.progress.sent)
/// ```
public final class Feeder {
    /// Where the feed stands, or stood at its end.
    public private(set) var progress = FeedProgress()

    private let settings: FeedSettings
    private let stop: StopSignal
    private var pacer: Pacer?
    private var playback = PlaybackClock()
    private var firstSent: ContinuousClock.Instant?

    /// Creates a feeder that has not opened a socket.
    public init(settings: FeedSettings, stop: StopSignal) {
        self.settings = settings
        self.stop = stop
    }

    /// Sends `images` and returns when all have left, or the stop signal was given.
    ///
    /// - Parameter tell: called for every image and several times a second in a wait.
    /// - Throws: `FeedError`; `progress` then says how many images were handed over.
    public func run(_ images: ImageStream, tell: @escaping (FeedEvent) -> Void) throws(FeedError) {
        progress.total = images.total
        let link = try open(tell)
        for error in images.unreadable { tell(.unreadable(error)) }

        for entry in images {
            if stop.isRequested { break }
            switch entry {
            case .failure(let error):
                if error.isOfVideo { progress.brokenVideos += 1 } else { progress.unreadable += 1 }
                tell(.unreadable(error))
            case .success(let entry):
                progress.missed += entry.missed
                if let due = due(entry) { sleep(until: due, orReadable: stop.descriptor) }
                if try link.send(message(of: entry).frames, id: entry.id) { count(entry, tell) }
            }
        }
        // After a stop nobody wants to wait for long.
        try link.finish(patience: stop.isRequested ? min(settings.timeout, .seconds(5)) : settings.timeout)
    }

    private func open(_ tell: @escaping (FeedEvent) -> Void) throws(FeedError) -> any FeedLink {
        let tellLinkEvent = { [self] (event: LinkEvent) in
            switch event {
            case .waiting(let obstacle):
                progress.obstacle = obstacle
                progress.elapsed = firstSent.map { .now - $0 } ?? .zero
                tell(.progress(progress))
            case .connectionLost: tell(.connectionLost)
            case .connectionRestored: tell(.connectionRestored)
            case .handshakeFailed(let failure): tell(.handshakeFailed(failure))
            case .resending(let id): tell(.resending(id: id))
            case .refused(let id, let reason):
                progress.refused += 1
                tell(.refused(id: id, reason: reason))
            }
        }
        return settings.pattern == .req
            ? try RequestLink(settings: settings, stop: stop, tell: tellLinkEvent)
            : try QueueLink(settings: settings, stop: stop, tell: tellLinkEvent)
    }

    /// When an image is to be sent; nil is at once.
    private func due(_ entry: ImageEntry) -> ContinuousClock.Instant? {
        if settings.rate != nil { return firstSent == nil ? nil : pacer?.next(now: .now) }
        guard settings.playsVideos, let time = entry.time else { return nil }
        return playback.due(time, now: .now)
    }

    private func message(of entry: ImageEntry) -> ImageMessage {
        ImageMessage(
            source: settings.source, id: entry.id, sequence: UInt64(progress.sent + 1),
            taken: entry.taken ?? nanosecondsSince1970(), label: entry.label, encoding: entry.encoding,
            payload: entry.payload)
    }

    private func count(_ entry: ImageEntry, _ tell: (FeedEvent) -> Void) {
        let now = ContinuousClock.now
        if firstSent == nil {
            firstSent = now
            pacer = settings.rate.map { Pacer(rate: $0, start: now) }
        }
        progress.sent += 1
        progress.bytes += entry.payload.count
        progress.elapsed = now - firstSent!
        progress.obstacle = nil
        tell(.progress(progress))
    }
}

/// The time of the system's clock: `clock_gettime(CLOCK_REALTIME)`.
func nanosecondsSince1970() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
