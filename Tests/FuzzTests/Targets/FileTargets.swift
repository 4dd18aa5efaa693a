// Files from elsewhere: checkpoints and the form they have, IDX files, lists of paths.

import Checkpoints
import Datasets
import Foundation
import Safetensors
import Tensors

extension FuzzTarget {
    private static let safetensorsTokens = [
        #""__metadata__":{"#, #""dtype":"F32""#, #""dtype":"I64""#, #""dtype":"U8""#, #""shape":["#,
        #""data_offsets":[0,"#, #""checksum":""#, "9223372036854775807", "\\ud83d\\ude00", "\\u0000", "{}", "[]",
    ]

    /// A safetensors file in memory; the length of its header is made right.
    static func safetensors(share: Double) -> FuzzTarget {
        FuzzTarget("safetensors", share: share, tokens: safetensorsTokens, repair: repairLength) { input in
            do {
                let header = try SafetensorsReader(bytes: input).header
                let size = header.entries.reduce(8 + header.text.count) { $0 + $1.range.count }
                try require(size == input.count, "\(size) bytes of \(input.count) are accounted for")
                let written = try SafetensorsFile(bytes: input).encoded()
                let again = try SafetensorsFile(bytes: written)
                try require(again.encoded() == written, "a file that is written in two ways")
                return "\(min(again.tensors.count, 4)) tensors, \(min(again.metadata.count, 3)) strings"
            } catch let error as SafetensorsError {
                try require(!error.reason.isEmpty, "no reason")
                return word(error.reason)
            }
        }
    }

    private static func repairLength(_ bytes: inout [UInt8]) {
        guard bytes.count > 8, let end = bytes.lastIndex(of: UInt8(ascii: "}")), end >= 8 else { return }
        for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: (end - 7) >> (8 * index)) }
    }

    /// A checkpoint's file; the seal is made right.
    static func checkpoint(in folder: String, share: Double) -> FuzzTarget {
        let strings = [
            "format": "clusterd/1", "step": "12", "architecture": "resnet18", "image_size": "64", "clusters": "10",
            "feature_dim": "128", "label_epoch": "0", "rng": "1:2", "config": "threads: 2\n", "checksum": "",
        ]
        let tensors = [NamedTensor(name: "w", shape: [2, 1], elements: .float32([0.5, -1]))]
        let file = ScratchFile(folder + "/fuzzed.safetensors")
        return FuzzTarget(
            "checkpoint", share: share, tokens: safetensorsTokens,
            seeds: [sealed(SafetensorsFile(tensors: tensors, metadata: strings))],
            repair: { bytes in
                if let file = try? SafetensorsFile(bytes: bytes) { bytes = sealed(file) }
            },
            check: { input in
                try file.write(input)
                do {
                    let checkpoint = try Checkpoint(path: file.path, maximumBytes: 1 << 20)
                    try require(checkpoint.record.bytes == input.count, "\(checkpoint.record)")
                    try require(CheckpointSummary(checkpoint).bytes == input.count, "another size")
                    return "\(min(checkpoint.state.tensors.count, 3)) tensors"
                } catch let error as CheckpointError {
                    try require(!error.reason.isEmpty, "no reason")
                    return word(error.reason)
                }
            })
    }

    /// The file's bytes with the SHA-256 of what they are without it.
    private static func sealed(_ file: SafetensorsFile) -> [UInt8] {
        var file = file
        file.metadata["checksum"] = String(repeating: "0", count: 64)
        var digest = SHA256()
        digest.update(file.encoded())
        file.metadata["checksum"] = digest.hexadecimal()
        return file.encoded()
    }

    /// An IDX file of images, packed or not.
    static func idx(in folder: String, share: Double) -> FuzzTarget {
        let file = ScratchFile(folder + "/fuzzed")
        return FuzzTarget("idx", share: share) { input in
            try file.write(input)
            do {
                let collection = try ImageCollection(opening: [file.path])
                for index in 0..<min(3, collection.count) {
                    let entry = try collection.entry(at: index)
                    guard case .raw(let height, let width, let channels, _) = entry.encoding else { return "a picture" }
                    try require(entry.payload.count == height * width * channels, "\(entry.payload.count) bytes")
                }
                return "\(min(collection.count, 4)) images"
            } catch let error as DatasetError {
                return "\(error.reason)".filter(\.isLetter)
            }
        }
    }

    /// The labels beside an IDX file of three images.
    static func idxLabels(in folder: String, share: Double) throws -> FuzzTarget {
        let images = ScratchFile(folder + "/fuzzed-images-idx3-ubyte")
        let labels = ScratchFile(folder + "/fuzzed-labels-idx1-ubyte")
        try images.write([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1, 7, 8, 9])
        let seed: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 3, 4, 5, 6]
        return FuzzTarget("idx-labels", share: share, seeds: [seed]) { input in
            try labels.write(input)
            do {
                let collection = try ImageCollection(opening: [images.path], labelled: true)
                for index in 0..<collection.count { _ = try collection.label(at: index) }
                return "\(collection.count) labels"
            } catch let error as DatasetError {
                return "\(error.reason)".filter(\.isLetter)
            }
        }
    }

    /// A list of paths on standard input.
    static func paths(in folder: String, share: Double) -> FuzzTarget {
        let file = ScratchFile(folder + "/list")
        return FuzzTarget("paths", share: share, tokens: ["\n", "\0", "a.jpg", "/dev/null", "..", "/", "\r"]) { input in
            try file.write(input)
            let descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
            defer { close(descriptor) }
            var results = 0
            var kinds: Set<String> = []
            let stream = try ImageStream(opening: ["-"], list: PathList(descriptor: descriptor))
            for result in stream {
                results += 1
                if case .failure(let error) = result { kinds.insert("\(error.reason)".filter(\.isLetter)) }
            }
            let most = 1 + max(input.count { $0 == 0 }, input.count { $0 == UInt8(ascii: "\n") })
            try require(results <= most, "\(results) paths in \(most) lines")
            return "\(min(results, 3)) \(kinds.sorted())"
        }
    }
}

/// A file that takes the next input's place again and again.
struct ScratchFile {
    let path: String
    private let mode: mode_t

    init(_ path: String, mode: mode_t = 0o644) {
        self.path = path
        self.mode = mode
    }

    func write(_ bytes: [UInt8]) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        defer { close(descriptor) }
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw FuzzFault(description: "cannot write \(path)")
        }
    }
}
