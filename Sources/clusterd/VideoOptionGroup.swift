// The options of `clusterd feed` that concern videos and cameras.

import ArgumentParser
import Datasets

struct VideoOptionGroup: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Frames a second; others are left out, or repeated. A camera is asked for it. (default: the video's)",
            valueName: "n"))
    var fps: Double?

    @Option(help: ArgumentHelp("The size of frames, such as 640x480. (default: the video's)", valueName: "WxH"))
    var size: String?

    @Flag(help: "Send the frames of a video file as fast as they are taken.")
    var fast = false

    /// - Parameter timeout: how many seconds a camera may send nothing.
    func options(timeout: Double) throws -> VideoOptions {
        if let fps {
            guard fps > 0, fps <= 1000 else { throw ValidationError("--fps is more than 0 and at most 1000") }
        }
        var frame: VideoOptions.Size?
        if let size {
            let sides = size.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
            guard sides.count == 2, let width = sides[0], let height = sides[1], (2...32_768).contains(width),
                (2...32_768).contains(height)
            else { throw ValidationError("--size is a width and a height in pixels, such as 640x480") }
            frame = VideoOptions.Size(width: width, height: height)
        }
        return VideoOptions(framesPerSecond: fps, size: frame, patience: .seconds(timeout))
    }
}
