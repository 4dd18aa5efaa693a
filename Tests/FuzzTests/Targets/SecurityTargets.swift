// What decides who gets in: the questions that libzmq asks, and key files.

import ZeroMQ

extension FuzzTarget {
    /// A request of the ZeroMQ Authentication Protocol, a frame after another.
    static func zap(share: Double) -> FuzzTarget {
        let key = [UInt8](repeating: 3, count: 32)
        func request(_ words: [String], _ credentials: [[UInt8]]) -> [UInt8] {
            Array((words.map { Array($0.utf8) } + credentials).joined(separator: [0x1E]))
        }
        let words = ["1.0", "7", "sources.queue", "10.0.0.1", ""]
        let seeds = [
            request(words + ["CURVE"], [key]), request(words + ["NULL"], []),
            request(words + ["PLAIN"], [Array("user".utf8), Array("password".utf8)]),
        ]
        return FuzzTarget(
            "zap", share: share, tokens: ["1.0\u{1E}", "CURVE", "NULL", "\u{1E}", "sources.queue"], seeds: seeds
        ) { input in
            let frames = frames(of: input)
            do {
                let request = try ZAPRequest(frames: frames)
                try require(request.id == frames[1], "another request's id")
                for reply in [ZAPReply.denied, .accepted(user: "a")].map({ $0.frames(to: request.id) }) {
                    try require(reply.count == 6 && reply[1] == frames[1], "a reply that is none")
                }
                guard let key = request.curveKey else { return "no key, \(min(request.credentials.count, 3))" }
                try require(request.mechanism == "CURVE" && frames.count == 7, "a key of another mechanism")
                try require(key == CurveKey(bytes: frames[6]), "another key")
                return "a key for \(min(request.domain.count, 20))"
            } catch let error as ZAPRequest.Malformed {
                try require(!error.reason.isEmpty, "no reason")
                return word(error.reason)
            }
        }
    }

    /// A file of CURVE keys, read as a secret one and as a public one.
    static func keyFile(in folder: String, share: Double) -> FuzzTarget {
        let file = ScratchFile(folder + "/fuzzed.key_secret", mode: 0o600)
        let (publicKey, secretKey) = (
            "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
        )
        let seeds = [
            "metadata\ncurve\n    public-key = \"\(publicKey)\"\n    secret-key = \"\(secretKey)\"\n",
            "# a comment\ncurve\n    public-key = '\(publicKey)'\n", "curve\n secret-key=\(secretKey)\n",
        ].map { Array($0.utf8) }
        return FuzzTarget(
            "key-file", share: share,
            tokens: [
                "curve\n", "public-key", "secret-key", " = ", "\"", "'", "#", "\r\n", "\u{2028}", publicKey, secretKey,
            ],
            seeds: seeds
        ) { input in
            try file.write(input)
            func outcome(_ read: () throws -> CurveKey) throws -> String {
                do {
                    let key = try read()
                    try require(CurveKey(z85: key.z85) == key, "a key that is not what it is written as")
                    return "a key"
                } catch let error as KeyFileError {
                    try require(!error.reason.isEmpty, "no reason")
                    return word(error.reason)
                }
            }
            return try outcome { try CurveKeyFile.keyPair(at: file.path).publicKey } + ", "
                + outcome { try CurveKeyFile.publicKey(at: file.path) }
        }
    }
}
