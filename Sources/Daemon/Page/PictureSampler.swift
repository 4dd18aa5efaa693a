// Which of the images that pass are kept for the page, and the thread that makes them small.
//
// Images may pass by the thousand a second, people look at some. So a few are taken from each batch, one without looking and one
// of the cluster that has waited for longest, and no more than what is allowed of a core's time: one part in 100 while
// a page is open, one in 500 otherwise, so that a page that is opened is not empty. A source's first image is always taken: it
// may send no other.

import ContrastiveClustering
import Glibc
import Imaging
import StreamProtocol
import Synchronization

/// Takes pictures for the page; thread-safe.
package final class PictureSampler: PipelineObserver {
    /// Bytes of pixels of a picture that is kept.
    private static let pictureBytes = 96 * 96 * 3
    /// Pictures that may wait to be made small.
    private static let capacity = 8

    fileprivate struct Job: Sendable {
        var picture: AlbumPicture
        var pixels: RGBImage
        var isSample: Bool
        var isLast: Bool
    }

    fileprivate struct Line: Sendable {
        var jobs: [Job] = []
        var closed = false
        /// When the next image may be taken.
        var opensAt = MonotonicTime.now
        var nextID: UInt64
        /// When a cluster last had an image taken.
        var lastTaken: [Int: MonotonicTime] = [:]
        var lastOfSender: [String: MonotonicTime] = [:]
        /// Counts relabelings: what was assigned before one is not filed after it.
        var generation = 0
        var random = SystemRandomNumberGenerator()
    }

    private let line: Monitor<Line>
    private let album = Mutex(PictureAlbum())
    private let latency = Mutex(LatencyWindow())
    private let readers = Atomic<Int>(0)
    private let thread = Mutex<WorkerThread?>(nil)

    /// Creates a sampler that takes pictures once it is started.
    package init() {
        // Of another run with another clock no browser may have pictures with the same numbers.
        let seconds = UInt64(clamping: wallClockNanoseconds() / 1_000_000_000)
        line = Monitor(Line(nextID: seconds << 32))
    }

    // MARK: The assigner's thread

    package func assigned(_ images: [DecodedImage], _ assignments: [Assignment], published: Int64) {
        latency.withLock { latency in
            for image in images { latency.add(published - image.origin.received) }
        }
        line.withLock { line in
            let now = MonotonicTime.now
            guard !line.closed, line.jobs.count + 3 <= Self.capacity else { return }
            if let newcomer = line.newcomer(among: images) {
                line.take(images[newcomer], assignments[newcomer], isSample: false, now: now)
            }
            guard line.opensAt <= now else { return }
            let any = Int.random(in: images.indices, using: &line.random)
            line.take(images[any], assignments[any], isSample: true, now: now)
            let waited = images.indices.min { first, second in
                let times = [first, second].map { line.lastTaken[assignments[$0].cluster]?.nanoseconds ?? 0 }
                return times[0] == times[1]
                    ? assignments[first].confidence > assignments[second].confidence : times[0] < times[1]
            }
            if let waited, waited != any { line.take(images[waited], assignments[waited], isSample: false, now: now) }
        }
    }

    package func relabeled() {
        line.withLock { line in
            line.jobs = []
            line.generation += 1
            line.lastTaken = [:]
            album.withLock { $0.removeClusters() }
        }
    }

    // MARK: The page's thread

    /// Says how many pages are open.
    func setReaders(_ count: Int) { readers.store(count, ordering: .relaxed) }

    /// Reads or changes the pictures.
    func withAlbum<Result: Sendable>(_ body: (inout sending PictureAlbum) -> sending Result) -> Result {
        album.withLock(body)
    }

    /// The median and the 99th percentile of receive to publish, in seconds.
    var percentiles: (median: Double, high: Double)? { latency.withLock { $0.percentiles } }

    // MARK: The sampler's own thread

    /// Starts taking pictures; a second call does nothing.
    func start() {
        thread.withLock { thread in
            guard thread == nil else { return }
            let worker = WorkerThread(name: "page-pictures", niceness: Trainer.niceness + 5) { [self] in run() }
            worker.start()
            thread = worker
        }
    }

    /// Takes no more pictures. Harmless at any time.
    func stop() {
        line.withLock { $0.closed = true }
        thread.withLock { $0 }?.join()
    }

    private func run() {
        while let (job, generation) = next() {
            let (started, spent) = (MonotonicTime.now, Self.processorSeconds)
            let small = job.pixels.reduced(toBytes: Self.pictureBytes)
            if let jpeg = small.jpeg() {
                var picture = job.picture
                picture.embedding = picture.embedding.map(Self.unit)
                line.withLock { line in
                    guard line.generation == generation else { return }
                    album.withLock { $0.add(picture, jpeg: jpeg, isSample: job.isSample, isLast: job.isLast) }
                }
            }
            let took = Self.processorSeconds - spent
            let isWatched = readers.load(ordering: .relaxed) > 0
            let pause = max(took * (isWatched ? 100 : 500), isWatched ? 0.04 : 0.2)
            line.withLock { $0.opensAt = max($0.opensAt, started).advanced(bySeconds: pause) }
        }
    }

    /// The processor time of the calling thread, in seconds: what it waits for a processor costs nobody anything.
    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// The vector's direction: what the network sees is in it, how strongly is not.
    private static func unit(_ vector: [Float]) -> [Float] {
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return length > 0 && length.isFinite ? vector.map { $0 / length } : vector.map { _ in 0 }
    }

    private func next() -> (Job, generation: Int)? {
        line.wait { line in
            if line.closed { return .done(nil) }
            return line.jobs.isEmpty ? .wait(until: nil) : .done((line.jobs.removeFirst(), line.generation))
        }
    }
}

extension PictureSampler.Line {
    /// The first image of a source of which there is none yet, for as many sources as there is room for.
    fileprivate func newcomer(among images: [DecodedImage]) -> Int? {
        guard lastOfSender.count < PictureAlbum.senders else { return nil }
        return images.indices.first { lastOfSender[images[$0].origin.source] == nil }
    }

    fileprivate mutating func take(
        _ image: DecodedImage, _ assignment: Assignment, isSample: Bool, now: MonotonicTime
    ) {
        let (origin, cluster) = (image.origin, assignment.cluster)
        lastTaken[cluster] = now
        let isLast = lastOfSender[origin.source].map { now.seconds(since: $0) >= 1 } ?? true
        if isLast {
            if lastOfSender.count >= 4 * PictureAlbum.senders { lastOfSender = [:] }
            lastOfSender[origin.source] = now
        }
        jobs.append(
            PictureSampler.Job(
                picture: AlbumPicture(
                    id: nextID, cluster: cluster, confidence: assignment.confidence, source: origin.source,
                    name: origin.id.map { String($0.prefix(200)) }, label: origin.label, received: origin.received,
                    embedding: isSample ? assignment.embedding : nil),
                pixels: image.picture, isSample: isSample, isLast: isLast))
        nextID += 1
    }
}
