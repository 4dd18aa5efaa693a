// A checkpoint read back and found whole.

import ContrastiveClustering
import Glibc
import Safetensors
import Tensors

/// A checkpoint in memory, every byte of its file checked.
public struct Checkpoint: Sendable {
    /// What is announced of it.
    public let record: CheckpointRecord
    /// The model it is of.
    public let model: CheckpointModel
    /// The numbering that the clusters' meaning belongs to.
    public let labelEpoch: UInt64
    /// The configuration it was trained under, as its writer put it.
    public let configuration: String
    /// How its label epoch began, as its writer put it; nil where that was not said.
    public let relabeling: String?
    /// What a learner takes in; the tensors are in the order of the file.
    public let state: LearnerState

    /// Reads the checkpoint at `path`, which may have any name.
    ///
    /// - Parameter maximumBytes: the size beyond which a file is not read, since all of it comes into memory.
    /// - Throws: `CheckpointError` of the kind `damaged` where the file is not just as it was written, `otherModel` where
    ///   it is of another version of the format or too large, or `system`.
    public init(path: String, maximumBytes: Int = .max) throws(CheckpointError) {
        let reader = try Self.reading(path) { () throws(SafetensorsError) in try SafetensorsReader(path: path) }
        guard reader.size <= maximumBytes else {
            throw CheckpointError(
                .otherModel, operation: "load", path: path,
                reason: "it has \(reader.size) bytes, a checkpoint of this model has at most \(maximumBytes)")
        }
        let header = reader.header
        guard let unsealedText = CheckpointFormat.unsealedText(of: header) else {
            throw .damaged(
                path, "it has no checksum", hint: "it is a safetensors file, but not one that clusterd wrote")
        }
        var digest = SHA256()
        var seal = SHA256()
        let length = withUnsafeBytes(of: UInt64(header.text.count).littleEndian, Array.init)
        digest.update(length + header.text)
        seal.update(length + unsealedText)
        var tensors: [NamedTensor] = []
        for entry in header.entries {
            tensors.append(
                try Self.reading(path) { () throws(SafetensorsError) in
                    try reader.tensor(entry) { bytes in
                        digest.update(bytes)
                        seal.update(bytes)
                    }
                })
        }
        guard seal.hexadecimal() == header.metadata[CheckpointFormat.Key.checksum] else {
            throw .damaged(path, "it has changed since it was written: the checksum differs")
        }

        let metadata = Metadata(strings: header.metadata, path: path)
        let format = try metadata.string(CheckpointFormat.Key.format)
        guard format == CheckpointFormat.version else {
            throw CheckpointError(
                .otherModel, operation: "load", path: path,
                reason: "it is in the format \(format), this program reads \(CheckpointFormat.version)",
                hint: "another version of clusterd wrote it")
        }
        model = CheckpointModel(
            architecture: try metadata.string(CheckpointFormat.Key.architecture),
            imageSize: try metadata.number(CheckpointFormat.Key.imageSize),
            clusters: try metadata.number(CheckpointFormat.Key.clusters),
            featureDim: try metadata.number(CheckpointFormat.Key.featureDim))
        labelEpoch = try metadata.number(CheckpointFormat.Key.labelEpoch)
        configuration = try metadata.string(CheckpointFormat.Key.configuration)
        relabeling = header.metadata[CheckpointFormat.Key.relabeling]
        state = LearnerState(
            step: try metadata.number(CheckpointFormat.Key.step), tensors: tensors,
            random: try metadata.string(CheckpointFormat.Key.random))
        record = CheckpointRecord(
            id: CheckpointRecord.id(step: state.step, labelEpoch: labelEpoch), step: state.step,
            labelEpoch: labelEpoch, bytes: reader.size, sha256: digest.hexadecimal(), time: reader.modificationTime,
            path: path)
    }

    /// What `body` reads of the file at `path`.
    private static func reading<Value>(
        _ path: String, _ body: () throws(SafetensorsError) -> Value
    ) throws(CheckpointError) -> Value {
        do {
            return try body()
        } catch {
            throw CheckpointError(error, path: path)
        }
    }

    /// The metadata of a file, whose strings must be there and be what they stand for.
    private struct Metadata {
        let strings: [String: String]
        let path: String

        func string(_ key: String) throws(CheckpointError) -> String {
            guard let value = strings[key] else { throw .damaged(path, "its metadata has no \(key)") }
            return value
        }

        func number<Number: FixedWidthInteger>(_ key: String) throws(CheckpointError) -> Number {
            guard let value = Number(try string(key)), value >= 0 else {
                throw .damaged(path, "its metadata's \(key) is not a number")
            }
            return value
        }
    }
}
