// Images one after another, once or in several passes, in order or shuffled: what is fed, trained on or evaluated.
//
// An image that cannot be read is an element too, so that one bad file does not end the stream. A list on standard input
// is followed while it is being written, unless a second pass or a random order asks for all of it first. A video begins
// anew with each pass, and cannot be shuffled; watched folders are a stream of their own, without an end.

import StreamProtocol
import Tensors

/// Images, or the errors in their places; a sequence that can be gone through once.
public struct ImageStream: Sequence, IteratorProtocol {
    private enum Part {
        case collection(ImageCollection)
        case list(PathList)
        case video(VideoSource, FFmpeg)
        case folders(FolderWatch)
    }

    /// How many images there will be, nil where there is no telling.
    public let total: Int?
    /// Subfolders that could not be read and whose images are missing from the stream.
    public let unreadable: [DatasetError]

    private let parts: [Part]
    private let labelled: Bool
    private let passes: Int?
    private let shuffleSeed: UInt64?
    private var videoOptions = VideoOptions()
    private var cancellation: Int32?

    /// The video that is being read.
    private var reader: VideoReader?
    private var pass = 0
    private var part = 0
    private var index = 0
    /// The order of this pass; empty where it is not shuffled.
    private var order: [Int] = []
    private var hasReadInPass = false
    private var isOver = false

    /// Goes through a collection.
    ///
    /// - Parameters:
    ///   - passes: how often, nil for ever. A pass in which no image can be read is the last.
    ///   - shuffleSeed: shuffles each pass anew; the same seed gives the same orders. Nil keeps the collection's order.
    public init(_ collection: ImageCollection, passes: Int? = 1, shuffleSeed: UInt64? = nil) {
        self.init([.collection(collection)], labelled: false, passes: passes, shuffleSeed: shuffleSeed)
    }

    /// Goes through what comes into folders.
    ///
    /// - Parameter labelled: whether the name of the folder that holds an image is its label.
    public init(_ watch: FolderWatch) {
        self.init([.folders(watch)], labelled: false, passes: 1, shuffleSeed: nil)
    }

    /// Goes through everything that `sources` name, in their order: what `ImageCollection.init(opening:labelled:list:)`
    /// takes, and videos: files, devices such as `/dev/video0`, and addresses such as `rtsp://camera/stream`.
    ///
    /// - Parameters:
    ///   - video: how videos are read.
    ///   - cancellation: a descriptor that becomes readable when no further frame of a video is wanted.
    /// - Throws: `DatasetError` for a source that cannot be read or holds no images, and for a video without ffmpeg.
    public init(
        opening sources: [String], labelled: Bool = false, list: PathList = PathList(), passes: Int? = 1,
        shuffleSeed: UInt64? = nil, video: VideoOptions = VideoOptions(), cancellation: Int32? = nil
    ) throws(DatasetError) {
        let listArgument = ImageCollection.listArgument
        guard sources.count(where: { $0 == listArgument }) <= 1 else {
            throw DatasetError(path: listArgument, reason: .listNamedTwice)
        }
        let followsList = passes == 1 && shuffleSeed == nil
        // All are opened before the first image, so that a mistake in the last argument is found at once.
        var parts: [Part] = []
        var together: [String] = []
        func closeCollection() throws(DatasetError) {
            guard !together.isEmpty || sources.isEmpty else { return }
            let collection = try ImageCollection(
                opening: together, labelled: labelled, list: list, folderNameInIDs: sources.count > 1)
            parts.append(.collection(collection))
            together = []
        }
        for source in sources {
            if source == listArgument, followsList {
                try closeCollection()
                parts.append(.list(list))
            } else if let video = VideoSource(source) {
                guard shuffleSeed == nil else {
                    throw DatasetError(path: video.shown, reason: .video("a video has its order"))
                }
                try closeCollection()
                parts.append(.video(video, try FFmpeg.find(toRead: video)))
            } else {
                together.append(source)
            }
        }
        try closeCollection()
        self.init(parts, labelled: labelled, passes: passes, shuffleSeed: shuffleSeed)
        videoOptions = video
        self.cancellation = cancellation
    }

    private init(_ parts: [Part], labelled: Bool, passes: Int?, shuffleSeed: UInt64?) {
        precondition(passes.map { $0 > 0 } ?? true, "a stream has at least one pass")
        self.parts = parts
        self.labelled = labelled
        self.passes = passes
        self.shuffleSeed = shuffleSeed
        var unreadable: [DatasetError] = []
        var count: Int? = 0
        for part in parts {
            switch part {
            case .collection(let collection):
                unreadable += collection.unreadable
                count = count.map { $0 + collection.count }
            case .list, .video, .folders: count = nil
            }
        }
        self.unreadable = unreadable
        // An endless stream over nothing ends all the same.
        total = count == 0 ? 0 : count.flatMap { count in passes.map { count * $0 } }
        shuffle()
    }

    /// The next image, or the error in its place; nil at the end. Waits for a list, a video and for what comes into folders.
    public mutating func next() -> Result<ImageEntry, DatasetError>? {
        guard total != 0, !isOver else { return nil }
        while part < parts.count {
            switch parts[part] {
            case .collection(let collection):
                if index < collection.count {
                    let place = order.isEmpty ? index : order[index]
                    index += 1
                    return read { () throws(DatasetError) in try collection.entry(at: place) }
                }
            case .list(let list):
                do throws(DatasetError) {
                    if let path = try list.next() {
                        let file = FileSection([FileSection.Folder(file: path, labelled: labelled)])
                        return read { () throws(DatasetError) in try file.entry(at: 0) }
                    }
                } catch {
                    // The list goes on, or has ended.
                    return .failure(error)
                }
            case .video(let source, let ffmpeg):
                do throws(DatasetError) {
                    if let frame = try frame(of: source, ffmpeg) {
                        return read { () throws(DatasetError) in try frame.get() }
                    }
                } catch {
                    part += 1
                    return .failure(error)
                }
                reader = nil
            case .folders(let watch):
                if let entry = watch.next() { return entry }
            }
            part += 1
            index = 0
        }
        pass += 1
        // Without the second condition an endless stream whose files have gone would spin.
        isOver = pass == passes || !hasReadInPass
        part = 0
        hasReadInPass = false
        shuffle()
        return next()
    }

    /// The next frame of a video, which is begun where none is being read.
    private mutating func frame(
        of source: VideoSource, _ ffmpeg: FFmpeg
    ) throws(DatasetError) -> Result<ImageEntry, DatasetError>? {
        if let reader { return reader.next() }
        let label = labelled && source.kind == .file ? RawPath(source.argument).parent.folderName : nil
        let reader = try VideoReader(
            source, options: videoOptions, ffmpeg: ffmpeg, label: label, cancellation: cancellation)
        self.reader = reader
        return reader.next()
    }

    private mutating func read(
        _ entry: () throws(DatasetError) -> ImageEntry
    ) -> Result<ImageEntry, DatasetError> {
        let result = Result { () throws(DatasetError) in try entry() }
        if case .success = result { hasReadInPass = true }
        return result
    }

    /// Draws the order of the pass that begins (Fisher and Yates; Durstenfeld 1964).
    private mutating func shuffle() {
        guard let shuffleSeed, case .collection(let collection) = parts[0] else { return }
        var random = RandomSource(seed: shuffleSeed, stream: UInt64(pass))
        order = Array(0..<collection.count)
        for last in stride(from: order.count - 1, to: 0, by: -1) {
            order.swapAt(last, Int(random.next(upperBound: UInt64(last + 1))))
        }
    }
}
