// What can be wrong with a collection of images, in words that its owner can act on.

import Glibc

/// A part of a collection that cannot be read: which one, why, and what may help.
public struct DatasetError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Why a part of a collection cannot be read.
    public enum Reason: Equatable, Sendable {
        /// There is no file or folder of this name.
        case notFound
        /// The file or folder may not be read.
        case permissionDenied
        /// A folder, where a file is wanted.
        case isFolder
        /// Neither a file nor a folder: a device, a pipe or a socket.
        case notAFile
        /// No image file below the folder.
        case noImages
        /// Neither an image file nor an IDX file.
        case unknownFormat
        /// Not what the name promises: no IDX file of this kind.
        case notIDX(String)
        /// The file ends too early: it should hold `expected` bytes after its header.
        case truncated(expected: Int)
        /// The compressed data is damaged.
        case damaged(String)
        /// An IDX image and its labels do not belong together.
        case countsDiffer(images: Int, labels: Int)
        /// Labels are wanted, and the file that should hold them does not exist.
        case noLabels(expectedFile: String)
        /// More bytes than are read into memory.
        case tooLarge(bytes: Int, limit: Int)
        /// The list on standard input is named more than once.
        case listNamedTwice
        /// The address of something that is no file of this machine.
        case notLocal
        /// A video, and no ffmpeg to read it.
        case noFFmpeg
        /// A video that cannot be read, or not to its end, in words of ffmpeg's.
        case video(String)
        /// The system watches no further folders for this user.
        case tooManyWatches
        /// More happened in watched folders than the system remembers.
        case eventsLost
        /// Any other error of the system, by its number.
        case system(Int32)
    }

    /// The file, folder or argument, as it was given or found.
    public let path: String
    /// What is wrong with it.
    public let reason: Reason

    /// Creates an error.
    public init(path: String, reason: Reason) {
        self.path = path
        self.reason = reason
    }

    init(path: RawPath, errorNumber: Int32) {
        let reason: Reason =
            switch errorNumber {
            case ENOENT, ENOTDIR: .notFound
            case EACCES, EPERM: .permissionDenied
            case EISDIR: .isFolder
            default: .system(errorNumber)
            }
        self.init(path: path.description, reason: reason)
    }

    /// Whether a whole video is concerned, and not a single picture.
    public var isOfVideo: Bool {
        if case .video = reason { true } else { false }
    }

    /// One line: the path, the reason and a hint.
    public var description: String { "\(path): \(explanation)" }

    private var explanation: String {
        switch reason {
        case .notFound: "no such file or folder"
        case .permissionDenied: "permission denied"
        case .isFolder: "is a folder; an image file is wanted here"
        case .notAFile: "neither a file nor a folder"
        case .noImages: "no image in this folder (looked for \(ImageFormats.extensionList) and IDX files)"
        case .unknownFormat: "neither an image file (\(ImageFormats.extensionList)) nor an IDX file"
        case .notIDX(let found): "not an IDX file: \(found)"
        case .truncated(let expected): "truncated: its header announces \(expected) bytes, and fewer follow"
        case .damaged(let what): "damaged: \(what)"
        case .countsDiffer(let images, let labels): "\(images) images, but \(labels) labels beside them"
        case .noLabels(let file): "no labels for these images: \(file) is missing"
        case .tooLarge(let bytes, let limit): "\(bytes) bytes are too many; the limit is \(limit)"
        case .listNamedTwice: "standard input can be read only once"
        case .notLocal: "only files of this machine can be read here: paths, and addresses that begin with file:///"
        case .noFFmpeg:
            "ffmpeg is needed to read videos and cameras, and none is on the PATH (Debian and Ubuntu: apt-get install ffmpeg)"
        case .video(let problem): problem
        case .tooManyWatches:
            "the system watches no more folders for this user; sysctl fs.inotify.max_user_watches is the limit"
        case .eventsLost: "more files came than the system remembers; looking for those of the last moments"
        case .system(let number): String(cString: strerror(number))
        }
    }
}
