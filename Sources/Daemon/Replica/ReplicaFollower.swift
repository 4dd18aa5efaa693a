// The worker of a replica: hears of another daemon's checkpoints, fetches them and has them taken.
//
// It outlives that daemon's absence, however long, and asks for what there is whenever it is back. Everything happens on one
// thread of low priority; images are answered beside it with the model that serves.

import Checkpoints
import Glibc
import Logging
import Remote
import StreamProtocol
import ZeroMQ

/// Follows a trainer.
final class ReplicaFollower: Sendable {
    /// Whom to follow.
    struct Settings: Sendable {
        /// The trainer's publisher.
        var publisher: String
        /// The trainer's control endpoint.
        var control: String
        /// The keys for both; nil is without encryption.
        var curve: CurveClient?
        /// The folder that files are fetched into, the store's.
        var folder: String
    }

    /// How it fares.
    let status: Monitor<ReplicaStatus>
    private let stopSignal: StopSignal
    private let thread: WorkerThread

    /// Creates a follower that is not running yet.
    ///
    /// - Parameter onModel: called when a model serves that has been taken.
    /// - Throws: `ZeroMQError` where the process has no file descriptors left.
    init(
        _ settings: Settings, models: ReplicaModels, logger: Logger, onModel: @escaping @Sendable () -> Void
    ) throws(ZeroMQError) {
        let status = Monitor(
            ReplicaStatus(
                publisher: settings.publisher, control: settings.control, hasModel: models.sha256 != nil))
        let stop = try StopSignal()
        (self.status, stopSignal) = (status, stop)
        thread = WorkerThread(name: "follower", stackSize: 16 << 20, niceness: Trainer.niceness) {
            var loop = FollowingLoop(
                settings: settings, models: models, status: status, stop: stop, logger: logger, onModel: onModel)
            loop.run()
        }
    }

    /// Starts the worker; a second call does nothing.
    func start() { thread.start() }

    /// Ends the worker and waits for it. Harmless at any time.
    func stop() {
        stopSignal.request()
        thread.join()
    }
}

/// The state of a follower's loop; it lives on its thread alone.
private struct FollowingLoop {
    let settings: ReplicaFollower.Settings
    let models: ReplicaModels
    let status: Monitor<ReplicaStatus>
    let stop: StopSignal
    let logger: Logger
    let onModel: @Sendable () -> Void

    /// The checkpoint to have.
    private var wanted: CheckpointMessage?
    /// The digests of checkpoints that are not tried again.
    private var refused: Set<String> = []
    private var nextTry = MonotonicTime.now
    /// Whether the trainer is to be asked for what there is; an announcement may be half a minute away.
    private var asks = true
    private var nextQuestion = MonotonicTime.now
    private var wasSilent = true

    private static let pause = 1.0
    /// How long an answer may take; a trainer that is busy gives it between two steps at the latest.
    private static let timeout = Duration.seconds(30)

    init(
        settings: ReplicaFollower.Settings, models: ReplicaModels, status: Monitor<ReplicaStatus>, stop: StopSignal,
        logger: Logger, onModel: @escaping @Sendable () -> Void
    ) {
        self.settings = settings
        self.models = models
        self.status = status
        self.stop = stop
        self.logger = logger
        self.onModel = onModel
    }

    mutating func run() {
        do {
            var link = try TrainerLink(settings.publisher, curve: settings.curve, stop: stop.descriptor)
            logger.info(
                "following", metadata: ["publisher": "\(settings.publisher)", "control": "\(settings.control)"])
            while !stop.isRequested {
                note(try link.next(timeout: .milliseconds(200)))
                if asks, MonotonicTime.now >= nextQuestion { askForNewest() }
                takeWanted()
            }
        } catch {
            logger.error("the trainer is not followed any more: \(error)")
            fail("", "\(error)", isRefusal: false)
        }
    }

    // MARK: Hearing

    private mutating func note(_ news: TrainerLink.News) {
        if news.isAnything { status.withLock { $0.heard = (.now, wallClockNanoseconds()) } }
        if let reason = news.handshakeFailure {
            fail("", "something answers at \(settings.publisher), but \(reason.explanation)", isRefusal: false)
        }
        // What was announced meanwhile has gone by, and it may be another trainer.
        if news.isConnected { (asks, nextQuestion) = (true, .now) }
        if let malformed = news.malformed { logger.notice("the trainer's message is passed over: \(malformed)") }
        if let announced = news.announced { want(announced) }
        let isSilent = status.read { $0.isSilent }
        if isSilent != wasSilent {
            wasSilent = isSilent
            if isSilent {
                logger.warning("the trainer is silent; the model that serves goes on serving")
            } else {
                logger.notice("the trainer is there")
            }
        }
    }

    private mutating func want(_ announced: CheckpointMessage) {
        status.withLock { $0.announced = announced }
        if announced.sha256 != wanted?.sha256 { nextTry = .now }
        wanted = announced
        asks = false
    }

    private mutating func askForNewest() {
        nextQuestion = MonotonicTime.now.advanced(bySeconds: Self.pause)
        do throws(ControlError) {
            if let newest = try newestCheckpoint() { want(newest) }
            // Without one the first will be announced.
            asks = false
            status.withLock { $0.heard = (.now, wallClockNanoseconds()) }
        } catch {
            fail("", error.description, isRefusal: false)
        }
    }

    private func client() throws(ControlError) -> ControlClient {
        try ControlClient(endpoint: settings.control, curve: settings.curve, timeout: Self.timeout, stop: stop)
    }

    private func newestCheckpoint() throws(ControlError) -> CheckpointMessage? {
        let answer = try client().ask("checkpoints", repeats: true)
        guard let newest = answer.members["checkpoints"]?.elements?.first?.members else { return nil }
        guard let id = newest["id"]?.text, let step = newest["step"]?.integer(as: UInt64.self),
            let bytes = newest["bytes"]?.integer(as: UInt64.self), let sha256 = newest["sha256"]?.text,
            let epoch = newest["label_epoch"]?.integer(as: Int.self), let time = newest["t"]?.integer(as: Int64.self)
        else { throw .unexpected("the list of checkpoints is not what a daemon says") }
        return CheckpointMessage(
            id: id, step: step, byteCount: bytes, sha256: sha256, written: time, labelEpoch: epoch)
    }

    // MARK: Taking

    private mutating func takeWanted() {
        guard let wanted, wanted.sha256 != models.sha256, !refused.contains(wanted.sha256),
            MonotonicTime.now >= nextTry
        else { return }
        let path = settings.folder + "/" + Self.incoming
        do {
            try fetch(wanted, into: path)
            status.withLock { $0.fetching = nil }
            try models.take(path, announced: wanted)
            status.withLock { status in
                status.hasModel = true
                status.failure = nil
                status.taken += 1
            }
            onModel()
        } catch ControlError.interrupted {
        } catch let error as ControlError {
            switch error {
            case .unexpected: refuse(wanted, error.description)
            case .refused:
                // Gone: a newer one has taken its place, or will be announced.
                (asks, nextQuestion) = (true, MonotonicTime.now.advanced(bySeconds: Self.pause))
                fail(wanted.id, error.description, isRefusal: false)
            default: fail(wanted.id, error.description, isRefusal: false)
            }
        } catch let failure as ControlFailure {
            unlink(path)
            refuse(wanted, failure.message)
        } catch {
            fail(wanted.id, "\(error)", isRefusal: false)
        }
        status.withLock { $0.fetching = nil }
        nextTry = MonotonicTime.now.advanced(bySeconds: Self.pause)
    }

    private static let incoming = ".incoming"

    private func fetch(_ wanted: CheckpointMessage, into path: String) throws {
        // A name that becomes one of a file must be one.
        guard CheckpointRecord.isID(wanted.id) else {
            throw ControlFailure(.refused, "\(wanted.id.prefix(80).debugDescription) is no checkpoint's name")
        }
        let limit = models.largestCheckpoint
        guard let bytes = Int(exactly: wanted.byteCount), bytes <= limit else {
            throw ControlFailure(
                .refused,
                "\(wanted.id) has \(wanted.byteCount) bytes, a checkpoint of this model has at most \(limit)")
        }
        removePieces(except: wanted.id)
        let fetch = CheckpointFetch(
            wanted.id, into: path, announced: .init(bytes: bytes, sha256: wanted.sha256), client: try client())
        try fetch.run { progress in
            status.withLock { $0.fetching = (progress.bytes, progress.total) }
        }
    }

    /// Lets go of what has come of checkpoints that are not wanted any more.
    private func removePieces(except id: String) {
        guard let folder = opendir(settings.folder) else { return }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasPrefix(Self.incoming), name != CheckpointFetch.pieces(of: id, into: Self.incoming) {
                unlink("\(settings.folder)/\(name)")
            }
        }
    }

    // MARK: Failing

    private mutating func refuse(_ checkpoint: CheckpointMessage, _ reason: String) {
        refused.insert(checkpoint.sha256)
        status.withLock { $0.refused += 1 }
        logger.warning(
            "a checkpoint of the trainer is refused; the model that serves goes on serving",
            metadata: ["id": "\(checkpoint.id)", "reason": "\(reason)"])
        fail(checkpoint.id, reason, isRefusal: true, isLogged: true)
    }

    private func fail(_ id: String, _ reason: String, isRefusal: Bool, isLogged: Bool = false) {
        let failure = ReplicaStatus.Failure(
            id: id, reason: reason, isRefusal: isRefusal, time: wallClockNanoseconds())
        let isNew = status.withLock { status in
            defer { status.failure = failure }
            return status.failure?.reason != reason
        }
        if isNew, !isLogged { logger.warning("the trainer cannot be followed at the moment: \(reason)") }
    }
}
