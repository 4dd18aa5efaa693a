// The checkpoint's form within safetensors: which strings the metadata holds, and the seal by which a flipped bit is found.
//
// The seal is the metadata's `checksum`: the SHA-256 of the whole file with the seal's own 64 digits taken as zeros. It
// covers the header as well, where a flipped bit in a name or in the random state would otherwise go unnoticed. Anybody can
// check it with sha256sum after writing zeros over the digits.

import ContrastiveClustering
import Safetensors

/// Names and values of the metadata.
enum CheckpointFormat {
    static let version = "clusterd/1"
    static let unsealed = String(repeating: "0", count: 64)

    enum Key {
        static let format = "format"
        static let step = "step"
        static let architecture = "architecture"
        static let imageSize = "image_size"
        static let clusters = "clusters"
        static let featureDim = "feature_dim"
        static let labelEpoch = "label_epoch"
        static let relabeling = "relabeling"
        static let random = "rng"
        static let configuration = "config"
        static let checksum = "checksum"
    }

    /// The file that holds `state`, sealed.
    static func file(
        _ state: LearnerState, model: CheckpointModel, labelEpoch: UInt64, relabeling: String?, configuration: String
    ) -> SafetensorsFile {
        var file = SafetensorsFile(
            tensors: state.tensors,
            metadata: [
                Key.format: version,
                Key.step: String(state.step),
                Key.architecture: model.architecture,
                Key.imageSize: String(model.imageSize),
                Key.clusters: String(model.clusters),
                Key.featureDim: String(model.featureDim),
                Key.labelEpoch: String(labelEpoch),
                Key.random: state.random,
                Key.configuration: configuration,
                Key.checksum: unsealed,
            ])
        file.metadata[Key.relabeling] = relabeling
        var seal = SHA256()
        file.encode { seal.update($0) }
        file.metadata[Key.checksum] = seal.hexadecimal()
        return file
    }

    /// The header's text with zeros in the place of the seal; nil where it has no seal.
    static func unsealedText(of header: SafetensorsHeader) -> [UInt8]? {
        guard let checksum = header.metadata[Key.checksum] else { return nil }
        func member(_ digits: String) -> [UInt8] { Array("\"\(Key.checksum)\":\"\(digits)\"".utf8) }
        guard checksum.utf8.count == unsealed.utf8.count, let place = header.text.firstRange(of: member(checksum))
        else {
            return nil
        }
        var text = header.text
        text.replaceSubrange(place, with: member(unsealed))
        return text
    }
}
