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

        /// Creates a value.
        public init(bytes: Int, total: Int) {
            self.bytes = bytes
            self.total = total
        }
    }

    /// The word that stands for the newest checkpoint.
    public static let newest = "newest"

    /// The checkpoint's name, once that is known.
    public private(set) var id: String
    /// The file.
    public private(set) var path: String
    private let client: ControlClient
    private let announced: Announced?

    /// What a file must be.
    public struct Announced: Sendable, Equatable {
        /// Its size.
        public var bytes: Int
        /// Its SHA-256 in hexadecimal digits.
        public var sha256: String

        /// Creates a value.
        public init(bytes: Int, sha256: String) {
            self.bytes = bytes
            self.sha256 = sha256
        }
    }

    /// Prepares to fetch `id`, or the newest, into the file `path`; where that is a folder, into a file in it that is called
    /// like the checkpoint.
    ///
    /// - Parameter announced: what it must be; nil has the daemon asked.
    public init(_ id: String, into path: String, announced: Announced? = nil, client: ControlClient) {
        self.id = id
        self.path = path
        self.announced = announced
        self.client = client
    }

    /// Fetches it.
    ///
    /// What an earlier fetch of the same checkpoint has left is gone on with.
    ///
    /// - Parameter tell: told of each piece.
    /// - Throws: `ControlError`; the pieces that have come stay for the next time, unless they are not what was announced.
    public func run(tell: (Progress) -> Void) throws(ControlError) {
        let announced = if let announced { announced } else { try announcement() }
        if Self.isFolder(path) { path += "/\(id).safetensors" }
        let partial = PartFile(path: Self.pieces(of: id, into: path))
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

    /// The file that holds what has come of the checkpoint `id` on its way into `path`.
    public static func pieces(of id: String, into path: String) -> String { "\(path).\(id).partial" }

    private func announcement() throws(ControlError) -> Announced {
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
        return Announced(bytes: bytes, sha256: sha256)
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
