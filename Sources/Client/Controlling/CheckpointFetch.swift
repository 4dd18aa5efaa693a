// A checkpoint from a daemon into a file: piece by piece, gone on with where it was cut off, and never half under its name.

import Checkpoints
import Glibc
import StreamProtocol

/// One checkpoint's way into a file.
public final class CheckpointFetch {
    /// How far it is.
    public struct Progress: Sendable, Equatable {
        /// Bytes that are in the file.
        public var bytes: Int
        /// Bytes that the checkpoint has.
        public var total: Int
    }

    /// The word that stands for the newest checkpoint.
    public static let newest = "newest"

    /// The checkpoint's name, once that is known.
    public private(set) var id: String
    /// The file.
    public private(set) var path: String
    private let client: ControlClient

    /// Prepares to fetch `id`, or the newest, into the file `path`; where that is a folder, into a file in it that is called
    /// like the checkpoint.
    public init(_ id: String, into path: String, client: ControlClient) {
        self.id = id
        self.path = path
        self.client = client
    }

    /// Fetches it.
    ///
    /// What an earlier fetch of the same checkpoint has left is gone on with.
    ///
    /// - Parameter tell: told of each piece.
    /// - Throws: `ControlError`; the pieces that have come stay for the next time, unless they are not what was announced.
    public func run(tell: (Progress) -> Void) throws(ControlError) {
        let announced = try announcement()
        if Self.isFolder(path) { path += "/\(id).safetensors" }
        let partial = PartFile(path: "\(path).\(id).partial")
        // A second time from the beginning, should what was left of an earlier fetch be of another file.
        for isFirst in [true, false] {
            var digest = SHA256()
            try partial.open(keeping: isFirst, digest: &digest)
            let wasBegun = partial.count > 0
            while partial.count < announced.bytes {
                tell(Progress(bytes: partial.count, total: announced.bytes))
                let piece = try piece(at: partial.count)
                try partial.append(piece)
                digest.update(piece)
            }
            tell(Progress(bytes: partial.count, total: announced.bytes))
            if digest.hexadecimal() == announced.sha256 { return try partial.commit(as: path) }
            partial.remove()
            guard isFirst, wasBegun else { break }
        }
        throw .unexpected("\(id) is not what was announced: its SHA-256 differs; it has been written anew meanwhile")
    }

    private func announcement() throws(ControlError) -> (bytes: Int, sha256: String) {
        let list = try client.ask("checkpoints", repeats: true).members["checkpoints"]?.elements ?? []
        let wanted = list.first { id == Self.newest || $0.members?["id"] == .string(id) }?.members
        guard let wanted else {
            throw .refused(
                ControlFailure(
                    .notFound, list.isEmpty ? "there is no checkpoint yet" : "there is no checkpoint \(id)"))
        }
        // A name that becomes one of a file must be one.
        guard let id = wanted["id"]?.text, !id.isEmpty, !id.contains("/"), !id.contains("\0"),
            let bytes = wanted["bytes"]?.integer(as: Int.self), bytes >= 0, let sha256 = wanted["sha256"]?.text
        else { throw .unexpected("the list of checkpoints is not what a daemon says") }
        self.id = id
        return (bytes, sha256)
    }

    private func piece(at offset: Int) throws(ControlError) -> [UInt8] {
        while true {
            let answer = try client.ask("fetch", ["id": .string(id), "offset": JSON(offset)], repeats: true)
            // A request that was repeated may be answered twice.
            guard answer.members["offset"] == JSON(offset), answer.members["id"] == .string(id) else { continue }
            guard let piece = answer.attachments.first, !piece.isEmpty else {
                throw .unexpected("\(id) ends at \(offset) bytes; it has been written anew meanwhile")
            }
            return piece
        }
    }

    /// stat(2).
    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
