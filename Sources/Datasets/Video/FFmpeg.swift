// The ffmpeg of this machine: where it is, and how its version wants to be told what all versions can do.

import Glibc

/// An ffmpeg that has been found and has answered.
package struct FFmpeg: Sendable, Equatable {
    package let program: String
    /// Keeps the times of frames: SMJPEG would otherwise get frames repeated to a constant rate.
    package let sync: [String]

    /// Takes a program for an ffmpeg.
    package init(program: String, sync: [String]) { (self.program, self.sync) = (program, sync) }

    /// Looks for `ffmpeg` as a shell does, and asks for its version.
    ///
    /// - Parameters:
    ///   - source: what is to be read, for messages.
    ///   - path: the folders to look in, separated by colons.
    /// - Throws: `noFFmpeg` where there is none.
    package static func find(
        toRead source: VideoSource, path: String? = getenv("PATH").map { String(cString: $0) }
    ) throws(DatasetError) -> FFmpeg {
        let folders = (path ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":", omittingEmptySubsequences: false)
        for folder in folders {
            let program = "\(folder.isEmpty ? "." : folder)/ffmpeg"
            var status = stat()
            guard stat(program, &status) == 0, status.st_mode & S_IFMT == S_IFREG, access(program, X_OK) == 0 else {
                continue
            }
            return FFmpeg(program: program, sync: sync(version: firstLine(program)))
        }
        throw DatasetError(path: source.shown, reason: .noFFmpeg)
    }

    /// `-fps_mode` came with version 5.1 in place of `-vsync`, which is to go.
    package static func sync(version line: String) -> [String] {
        let version = line.split(separator: " ").dropFirst(2).first ?? ""
        let numbers = version.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        let isOld = version.first?.isNumber == true && numbers.lexicographicallyPrecedes([5, 1])
        return [isOld ? "-vsync" : "-fps_mode", "vfr"]
    }

    /// The first line of `ffmpeg -version`, empty where it does not answer.
    private static func firstLine(_ program: String) -> String {
        guard let child = try? ChildProcess(program, ["-version"]) else { return "" }
        var bytes: [UInt8] = []
        while !bytes.contains(UInt8(ascii: "\n")), let more = readSome(child.output), !more.isEmpty { bytes += more }
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}

/// What a descriptor has: `read`; nothing at the end, nil for a failure.
func readSome(_ descriptor: Int32, most: Int = 256 << 10) -> [UInt8]? {
    var hasFailed = false
    let bytes = [UInt8](unsafeUninitializedCapacity: most) { space, filled in
        var count = read(descriptor, space.baseAddress, space.count)
        while count < 0, errno == EINTR { count = read(descriptor, space.baseAddress, space.count) }
        hasFailed = count < 0
        filled = max(0, count)
    }
    return hasFailed ? nil : bytes
}
