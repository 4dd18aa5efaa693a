// What only a daemon that trains does: a replica says where to ask.

import StreamProtocol

extension ControlOperation {
    /// The operations that a replica refuses.
    static func ofTrainer(at endpoint: String) -> [Self] {
        ["save", "pause", "resume", "reload", "rollback"].map { name in
            Self(name, lane: .state) { (_) throws(ControlFailure) in
                throw ControlFailure(
                    .refused, "this daemon is a replica and does not train; ask its trainer for \(name), at \(endpoint)"
                )
            }
        }
    }
}
