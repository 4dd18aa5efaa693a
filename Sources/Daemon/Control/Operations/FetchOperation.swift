// `fetch`: a checkpoint's file, a piece at a time, at the reader's pace.

import Checkpoints
import StreamProtocol

extension ControlOperation {
    /// The most bytes of a piece.
    private static var largestPiece: Int { 1 << 20 }

    /// Answers with a piece of a checkpoint of `store` in a second frame.
    static func fetch(from store: CheckpointStore) -> Self {
        Self("fetch", lane: .reading) { (request) throws(ControlFailure) in
            let id = try request.required("id", "a string", \.text)
            let offset: Int = try request.optional("offset", "a whole number from 0", natural) ?? 0
            let length = try request.optional("length", "a whole number from 1 to \(largestPiece)") { json in
                natural(json).flatMap { (1...largestPiece).contains($0) ? $0 : nil }
            }
            let piece: (bytes: [UInt8], size: Int)
            do throws(CheckpointError) {
                piece = try store.read(id: id, offset: offset, length: length ?? largestPiece)
            } catch {
                guard error.isMissingFile else { throw ControlFailure(.failed, error.description) }
                throw ControlFailure(.notFound, "there is no checkpoint \(id.prefix(40).debugDescription) any more")
            }
            guard offset <= piece.size else {
                throw ControlFailure(.invalidArgument, "offset \(offset) is beyond the end, at \(piece.size)")
            }
            return ControlReply(
                [
                    "id": .string(id), "offset": JSON(offset), "length": JSON(piece.bytes.count),
                    "bytes": JSON(piece.size),
                ], attachments: [piece.bytes])
        }
    }

    private static func natural(_ json: JSON) -> Int? { json.integer(as: Int.self).flatMap { $0 >= 0 ? $0 : nil } }
}
