// A run of a collection's images that come from one place, and the kinds of places: files by name, and IDX pairs.

import StreamProtocol

/// Images with random access.
protocol ImageSection: Sendable {
    var count: Int { get }
    func id(at index: Int) -> String
    func label(at index: Int) throws(DatasetError) -> Label?
    func entry(at index: Int) throws(DatasetError) -> ImageEntry
}

/// Image files, held as names by folder.
struct FileSection: ImageSection {
    /// Files that lie in one folder.
    struct Folder: Sendable {
        let path: RawPath
        /// Stands before each name in an id.
        let idPrefix: String
        let label: Label?
        let names: [RawPath]

        init(path: RawPath, idPrefix: String, label: Label?, names: [RawPath]) {
            self.path = path
            self.idPrefix = idPrefix
            self.label = label
            self.names = names
        }

        /// A file that was named itself: its id is the path as it was given.
        init(file: RawPath, labelled: Bool) {
            let name = file.lastComponent
            path = file.parent
            idPrefix = String(decoding: file.bytes.dropLast(name.bytes.count), as: UTF8.self)
            label = labelled ? file.parent.folderName.map { .text($0) } : nil
            names = [name]
        }
    }

    private let folders: [Folder]
    /// The index of each folder's first file, and after them the number of files.
    private let starts: [Int]

    init(_ folders: [Folder]) {
        self.folders = folders
        starts = folders.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.names.count) }
    }

    var count: Int { starts[starts.count - 1] }

    func id(at index: Int) -> String {
        let (folder, name) = place(index)
        return folder.idPrefix + name.description
    }

    func label(at index: Int) -> Label? { place(index).folder.label }

    func entry(at index: Int) throws(DatasetError) -> ImageEntry {
        let (folder, name) = place(index)
        return ImageEntry(
            id: folder.idPrefix + name.description, label: folder.label, encoding: .file(format: nil),
            payload: try InputFile.contents(of: folder.path.appending(name)))
    }

    private func place(_ index: Int) -> (folder: Folder, name: RawPath) {
        let folder = starts.lastStart(notAfter: index)
        return (folders[folder], folders[folder].names[index - starts[folder]])
    }
}

/// The images of an IDX file, with those of the label file beside it where labels are wanted.
struct IDXSection: ImageSection {
    private let name: String
    private let images: IDXFile
    private let labels: IDXFile?
    private let encoding: PayloadEncoding
    private let imageSize: Int

    init(_ path: RawPath, labelled: Bool) throws(DatasetError) {
        images = try IDXFile(path, dimensions: 3...4)
        let (height, width, channels) = (
            images.shape[1], images.shape[2], images.shape.count == 4 ? images.shape[3] : 1
        )
        guard height > 0, width > 0, [1, 3, 4].contains(channels) else {
            let problem = "its images are [\(height), \(width), \(channels)]; 1 channel, 3 or 4 are wanted"
            throw DatasetError(path: path.description, reason: .notIDX(problem))
        }
        encoding = .raw(height: height, width: width, channels: channels, color: channels == 1 ? .gray : .rgb)
        imageSize = height * width * channels
        name = IDXNaming.title(of: path)
        guard labelled else {
            labels = nil
            return
        }
        let labels = try IDXFile(try IDXNaming.labelFile(beside: path), dimensions: 1...1)
        guard labels.shape[0] == images.shape[0] else {
            let reason = DatasetError.Reason.countsDiffer(images: images.shape[0], labels: labels.shape[0])
            throw DatasetError(path: path.description, reason: reason)
        }
        self.labels = labels
    }

    var count: Int { images.shape[0] }

    func id(at index: Int) -> String { "\(name)/\(index)" }

    func label(at index: Int) throws(DatasetError) -> Label? {
        try labels.map { labels throws(DatasetError) in .number(Int64(try labels.read(at: index, count: 1)[0])) }
    }

    func entry(at index: Int) throws(DatasetError) -> ImageEntry {
        ImageEntry(
            id: id(at: index), label: try label(at: index), encoding: encoding,
            payload: try images.read(at: index * imageSize, count: imageSize))
    }
}

extension [Int] {
    /// The position of the last element that is at most `index`; the elements ascend, the first is 0.
    func lastStart(notAfter index: Int) -> Int {
        var low = 0
        var high = count
        while high - low > 1 {
            let middle = (low + high) / 2
            if self[middle] <= index { low = middle } else { high = middle }
        }
        return low
    }
}
