// A video by the name that somebody gives it: a file, a camera of this machine, or an address; and what ffmpeg is told to
// read it. Nothing is opened here but the file whose name says nothing.

import Glibc

/// How a video is read.
public struct VideoOptions: Sendable, Equatable {
    /// Width and height of a frame.
    public struct Size: Sendable, Equatable {
        /// Pixels.
        public let width: Int
        /// Pixels.
        public let height: Int

        /// Creates a size; both are positive.
        public init(width: Int, height: Int) { (self.width, self.height) = (width, height) }
    }

    /// Frames a second, made by repeating frames or leaving some out; nil takes every frame.
    public var framesPerSecond: Double?
    /// The size that frames are brought to; nil is the video's own.
    public var size: Size?
    /// How long a camera or an address may send nothing.
    public var patience: Duration

    /// Creates options; without arguments every frame is taken as it is.
    public init(framesPerSecond: Double? = nil, size: Size? = nil, patience: Duration = .seconds(30)) {
        self.framesPerSecond = framesPerSecond
        self.size = size
        self.patience = patience
    }
}

/// A video that ffmpeg can be asked to read.
package struct VideoSource: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// A file, which waits for its reader.
        case file
        /// A device of Video4Linux, such as /dev/video0.
        case device
        /// Something with `://` in it: a network camera, a stream.
        case address
    }

    let argument: String
    package let kind: Kind

    private static let extensions = [
        ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".flv", ".wmv",
        ".asf",
        ".3gp", ".ogv", ".mjpeg", ".mjpg", ".y4m", ".h264", ".h265", ".hevc", ".vob", ".gif",
    ]

    /// Takes `argument` for a video of this kind.
    package init(argument: String, kind: Kind) {
        self.argument = argument
        self.kind = kind
    }

    /// What `argument` names, nil where that is no video: a folder, a picture, an IDX file, or nothing at all.
    package init?(_ argument: String) {
        if FileAddress.hasScheme(argument) {
            guard !FileAddress.isFile(argument) else { return nil }
            self.init(argument: argument, kind: .address)
            return
        }
        let path = RawPath(argument)
        var status = stat()
        guard path.withCString({ stat($0, &status) }) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFCHR: self.init(argument: argument, kind: .device)
        case S_IFREG where Self.extensions.contains(where: path.hasSuffix) || Self.beginsAsVideo(path):
            self.init(argument: argument, kind: .file)
        default: return nil
        }
    }

    /// Whether it goes on by itself, and what is not read is lost.
    package var isLive: Bool { kind != .file }

    /// The address as it may be shown: without a password.
    package var shown: String {
        guard kind == .address, let start = argument.firstRange(of: "://")?.upperBound else { return argument }
        let rest = argument[start...]
        let authority = rest.prefix { $0 != "/" }
        guard let end = authority.lastIndex(of: "@"), let colon = authority[..<end].firstIndex(of: ":") else {
            return argument
        }
        return argument[...colon] + "…" + argument[end...]
    }

    /// What stands before `#` in the ids of frames: a file's name, or the last part of an address.
    package var name: String {
        guard kind == .address else { return RawPath(argument).lastComponent.description }
        let plain = shown.prefix { $0 != "?" && $0 != "#" }
        let parts = plain.split(separator: "/").dropFirst().map(String.init)
        guard let last = parts.last else { return String(plain) }
        return last.split(separator: "@").last.map(String.init) ?? last
    }

    /// ffmpeg's arguments: JPEGs with their times as SMJPEG on standard output.
    ///
    /// - Parameter sync: the option, of several names, that keeps frames' times as they are.
    package func arguments(_ options: VideoOptions, sync: [String]) -> [String] {
        var input: [String] = []
        switch kind {
        case .file: input = ["-i", "file:" + argument]
        case .device:
            // A camera that can is asked for what is wanted; the filters see to the rest.
            if let rate = options.framesPerSecond { input += ["-framerate", "\(rate)"] }
            if let size = options.size { input += ["-video_size", "\(size.width)x\(size.height)"] }
            input = ["-f", "v4l2"] + input + ["-i", argument]
        case .address:
            // UDP, the default, loses packets and leaves grey smears in pictures.
            let isRTSP = argument.hasPrefix("rtsp://") || argument.hasPrefix("rtsps://")
            input = (isRTSP ? ["-rtsp_transport", "tcp"] : []) + ["-i", argument]
        }
        var filters: [String] = []
        if let rate = options.framesPerSecond { filters.append("fps=\(rate)") }
        if let size = options.size { filters.append("scale=\(size.width):\(size.height)") }
        return ["-nostdin", "-hide_banner", "-loglevel", "error"] + input + ["-map", "0:v:0"]
            + (filters.isEmpty ? [] : ["-vf", filters.joined(separator: ",")]) + sync
            // One thread: with more, the encoder holds frames back.
            + ["-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p", "-threads", "1", "-f", "smjpeg"]
            + ["-flush_packets", "1", "pipe:1"]
    }

    /// Whether the first bytes of a file are those of a common container: AVI, ISO media, Matroska, Ogg, Flash.
    private static func beginsAsVideo(_ path: RawPath) -> Bool {
        guard ImageFormats.kind(name: path) == .unknown, let file = try? InputFile(path),
            let start = try? file.read(at: 0, count: 12)
        else { return false }
        return (start.starts(with: Array("RIFF".utf8)) && start.dropFirst(8).elementsEqual(Array("AVI ".utf8)))
            || start.dropFirst(4).starts(with: Array("ftyp".utf8)) || start.starts(with: [0x1A, 0x45, 0xDF, 0xA3])
            || start.starts(with: Array("OggS".utf8)) || start.starts(with: Array("FLV".utf8))
    }
}
