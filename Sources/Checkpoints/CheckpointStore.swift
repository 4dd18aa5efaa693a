// The folder of checkpoints that a daemon writes and resumes from.
//
// A file in it is whole or absent whatever stops the machine, and one that is found damaged is named and passed over, never
// deleted and never in the way. The newest is that of the highest label epoch and in it of the highest step: the name
// decides, not a clock.

import ContrastiveClustering
import Glibc
import Safetensors
import Synchronization
import Tensors

/// A folder of checkpoints, this store's alone while it lives. Its functions may be called from any thread.
public final class CheckpointStore: Sendable {
    /// What was found to go on from.
    public struct Resumption: Sendable {
        /// The newest checkpoint that is whole; nil where there is none.
        public let checkpoint: Checkpoint?
        /// The newer ones that are not, each with its reason.
        public let skipped: [CheckpointError]
    }

    /// The folder.
    public var directory: String { folder.path }
    /// How many checkpoints stay.
    public var keep: Int { kept.load(ordering: .relaxed) }

    let folder: Folder
    private let kept: Atomic<Int>
    private let onWarning: @Sendable (CheckpointError) -> Void
    /// Files found damaged: they stay for whoever wants to look at them, and do not count among those kept.
    private let damaged = Mutex<Set<CheckpointName>>([])
    /// What is known of files that need not be read again for it.
    let known = Mutex<[CheckpointName: CheckpointRecord]>([:])

    /// Opens the folder, made where it is missing, and removes what a writer that was killed has left behind.
    ///
    /// - Parameters:
    ///   - keep: how many checkpoints stay, at least 1.
    ///   - onWarning: is told of old files that cannot be removed.
    /// - Throws: `CheckpointError`, of the kind `inUse` where another store has the folder.
    public init(
        directory: String, keep: Int, onWarning: @escaping @Sendable (CheckpointError) -> Void
    ) throws(CheckpointError) {
        precondition(keep >= 1, "at least one checkpoint stays")
        folder = try Folder(path: directory)
        kept = Atomic(keep)
        self.onWarning = onWarning
        remove(try folder.names().filter(CheckpointName.isPartial))
    }

    /// Keeps so many checkpoints, at least 1, from the next one on.
    public func setKeep(_ keep: Int) {
        precondition(keep >= 1, "at least one checkpoint stays")
        kept.store(keep, ordering: .relaxed)
    }

    /// Writes a checkpoint, replacing one of the same step and label epoch, and then removes those beyond the `keep` newest.
    ///
    /// When this returns the file is on disk, also should the machine lose power. When it throws, the folder holds what it
    /// held before; only a failure to synchronize the folder itself may leave the new file, whole, in it.
    ///
    /// - Parameters:
    ///   - state: what a training learner exported.
    ///   - model: the model that it is of.
    ///   - labelEpoch: the numbering that the clusters' meaning belongs to.
    ///   - relabeling: how the label epoch began, as text; nil where that is not known.
    ///   - configuration: what the learner was trained under, as text.
    /// - Throws: `CheckpointError`, of the kind `notFinite` where `state` holds a number that is none.
    public func write(
        _ state: LearnerState, model: CheckpointModel, labelEpoch: UInt64 = 0, relabeling: String? = nil,
        configuration: String = "{}"
    ) throws(CheckpointError) -> CheckpointRecord {
        let name = CheckpointName(step: state.step, labelEpoch: labelEpoch)
        let path = folder.path(of: name.file)
        if let tensor = state.tensors.first(where: { !$0.isFinite }) {
            throw CheckpointError(
                .notFinite, operation: "write", path: path, reason: "\(tensor.name) holds a number that is not finite",
                hint: "the learning rate may be too high")
        }
        let file = CheckpointFormat.file(
            state, model: model, labelEpoch: labelEpoch, relabeling: relabeling, configuration: configuration)
        var digest = SHA256()
        var bytes = 0
        var partial = try PartialFile.create(name, in: folder)
        try file.encode { chunk throws(CheckpointError) in
            digest.update(chunk)
            bytes += chunk.count
            try partial.write(chunk)
        }
        let time = try partial.commit()
        damaged.withLock { _ = $0.remove(name) }
        removeOld(writing: name)
        let record = CheckpointRecord(
            id: name.id, step: state.step, labelEpoch: labelEpoch, bytes: bytes, sha256: digest.hexadecimal(),
            time: time, path: path)
        known.withLock { $0[name] = record }
        return record
    }

    /// Gives a file of this folder that was read as `checkpoint` its name among the checkpoints, and removes those beyond the
    /// `keep` newest, and all that are newer: from now on this is the one to go on from.
    ///
    /// - Throws: `CheckpointError`, and then the folder holds what it held before.
    public func add(_ checkpoint: Checkpoint) throws(CheckpointError) -> CheckpointRecord {
        let old = checkpoint.record
        let name = CheckpointName(step: old.step, labelEpoch: old.labelEpoch)
        let path = folder.path(of: name.file)
        try call("rename", old.path) { rename(old.path, path) }
        try folder.synchronize()
        damaged.withLock { _ = $0.remove(name) }
        do throws(CheckpointError) {
            remove(try checkpoints().filter { $0 > name }.map(\.file))
        } catch {
            onWarning(error)
        }
        removeOld(writing: name)
        let record = CheckpointRecord(
            id: name.id, step: old.step, labelEpoch: old.labelEpoch, bytes: old.bytes, sha256: old.sha256,
            time: old.time, path: path)
        known.withLock { $0[name] = record }
        return record
    }

    /// The identifiers of the checkpoints in the folder, newest first, whether they are whole or not.
    public func list() throws(CheckpointError) -> [String] { try checkpoints().map(\.id) }

    /// The highest label epoch that a file in the folder has, be it whole or not; 0 where there is none.
    public func highestLabelEpoch() throws(CheckpointError) -> UInt64 { try checkpoints().first?.labelEpoch ?? 0 }

    /// Reads a checkpoint that `list` named.
    ///
    /// - Throws: `CheckpointError`.
    public func load(id: String, maximumBytes: Int = .max) throws(CheckpointError) -> Checkpoint {
        try load(try name(of: id), maximumBytes: maximumBytes)
    }

    /// The name that `id` is.
    func name(of id: String) throws(CheckpointError) -> CheckpointName {
        guard let name = CheckpointName(id: id) else {
            throw CheckpointError(.system(ENOENT), operation: "load", path: id, reason: "there is no such checkpoint")
        }
        return name
    }

    /// Finds the newest checkpoint that is whole and reads it.
    ///
    /// A checkpoint of another image size is taken: the network is convolutional, its weights fit every size.
    ///
    /// - Parameters:
    ///   - model: the model that is to go on.
    ///   - shapes: the tensors that it needs, by name; others in the file are passed on as well.
    /// - Throws: `CheckpointError`, of the kind `otherModel` where the newest whole one does not fit `model`, so that
    ///   nobody begins afresh in the folder of another model; and where a file cannot be opened though it is there.
    public func newest(
        for model: CheckpointModel, shapes: [String: [Int]] = [:]
    ) throws(CheckpointError) -> Resumption {
        var skipped: [CheckpointError] = []
        for name in try checkpoints() {
            do throws(CheckpointError) {
                let checkpoint = try load(name)
                try checkpoint.check(for: model, shapes: shapes)
                return Resumption(checkpoint: checkpoint, skipped: skipped)
            } catch {
                switch error.kind {
                case .damaged, .system(EIO): skipped.append(error)
                // Removed meanwhile to make room for a newer one.
                case .system(ENOENT): continue
                default: throw error
                }
            }
        }
        return Resumption(checkpoint: nil, skipped: skipped)
    }

    private func load(_ name: CheckpointName, maximumBytes: Int = .max) throws(CheckpointError) -> Checkpoint {
        let path = folder.path(of: name.file)
        do throws(CheckpointError) {
            let checkpoint = try Checkpoint(path: path, maximumBytes: maximumBytes)
            guard checkpoint.state.step == name.step else {
                throw .damaged(path, "it holds step \(checkpoint.state.step)", hint: "it has been renamed")
            }
            guard checkpoint.labelEpoch == name.labelEpoch else {
                throw .damaged(path, "it is of label epoch \(checkpoint.labelEpoch)", hint: "it has been renamed")
            }
            known.withLock { $0[name] = checkpoint.record }
            return checkpoint
        } catch {
            if [.damaged, .system(EIO)].contains(error.kind) { damaged.withLock { _ = $0.insert(name) } }
            throw error
        }
    }

    /// The checkpoints in the folder, newest first.
    func checkpoints() throws(CheckpointError) -> [CheckpointName] {
        try folder.names().compactMap { CheckpointName(file: $0) }.sorted(by: >)
    }

    /// Removes the checkpoints beyond the `keep` newest, never the one that has just been written.
    private func removeOld(writing written: CheckpointName) {
        do {
            let setAside = damaged.withLock { $0 }
            let others = try checkpoints().filter { $0 != written && !setAside.contains($0) }
            remove(others.dropFirst(keep - 1).map(\.file))
        } catch {
            onWarning(error)
        }
    }

    private func remove(_ names: [String]) {
        for name in names {
            do {
                try folder.remove(name)
            } catch {
                onWarning(error)
            }
        }
    }
}

extension Checkpoint {
    /// Throws where the checkpoint is not of `model` or has not the tensors that it needs.
    fileprivate func check(for model: CheckpointModel, shapes: [String: [Int]]) throws(CheckpointError) {
        func mismatch(_ reason: String) -> CheckpointError {
            CheckpointError(
                .otherModel, operation: "resume from", path: record.path, reason: reason,
                hint: "choose another checkpoint folder, or the model that these are of")
        }
        guard self.model.fits(model) else { throw mismatch("it is of \(self.model), not of \(model)") }
        let present = Dictionary(state.tensors.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
        for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) where present[name] != shape {
            throw mismatch("its \(name) is \(present[name].map { "\($0)" } ?? "missing"), not \(shape)")
        }
    }
}

extension NamedTensor {
    /// Whether no element is an infinity or no number at all.
    fileprivate var isFinite: Bool {
        guard case .float32(let values) = elements else { return true }
        // Without its sign, a finite number's bit pattern is below infinity's; a maximum of integers is fast.
        let largest = values.reduce(UInt32(0)) { max($0, $1.bitPattern & 0x7FFF_FFFF) }
        return largest < Float.infinity.bitPattern
    }
}
