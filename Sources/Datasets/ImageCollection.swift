// Images from folders, files, IDX files and lists, under one index: the form that needs several passes or a random order.
//
// Opening reads names and headers, never a picture; a picture is read when it is asked for. The order is fixed: sources as
// they were given, a folder's images as FolderScan orders them, then its IDX files.

import Glibc
import StreamProtocol

/// A collection of images whose number is known; a value that any thread may read.
///
/// ```swift
/// let collection = try ImageCollection(opening: ["photos/", "more/cat.png"], labelled: true)
/// for entry in ImageStream(collection, passes: 20, shuffleSeed: 42) { … }
/// let truth = try (0..<collection.count).map { index in try collection.label(at: index) }
/// ```
public struct ImageCollection: Sendable {
    /// The argument that stands for a list of paths on standard input.
    public static let listArgument = "-"

    /// Subfolders that could not be read and lines of a list that are no paths: their images are missing from the collection.
    public let unreadable: [DatasetError]

    private let sections: [any ImageSection]
    /// The index of each section's first image, and after them the number of images.
    private let starts: [Int]

    /// Opens everything that `sources` name.
    ///
    /// - Parameters:
    ///   - sources: folders (read with all that is below them), image files, IDX files (`.gz` too), and `-` for a list of
    ///     paths of image files on standard input, which is read to its end. Paths may be written as `file:///` addresses.
    ///   - labelled: whether entries get labels: the name of the folder that holds an image file, for IDX images the
    ///     number in the label file beside them, which must exist then.
    ///   - list: what `-` stands for.
    /// - Throws: `DatasetError` for a source that cannot be read or holds no images.
    public init(
        opening sources: [String], labelled: Bool = false, list: PathList = PathList()
    ) throws(DatasetError) {
        try self.init(opening: sources, labelled: labelled, list: list, folderNameInIDs: sources.count > 1)
    }

    /// Opens sources; `folderNameInIDs` puts a folder's name before the path relative to it.
    init(
        opening sources: [String], labelled: Bool, list: PathList, folderNameInIDs: Bool
    ) throws(DatasetError) {
        guard sources.count(where: { $0 == Self.listArgument }) <= 1 else {
            throw DatasetError(path: Self.listArgument, reason: .listNamedTwice)
        }
        var sections: [any ImageSection] = []
        var unreadable: [DatasetError] = []
        for source in sources {
            if source == Self.listArgument {
                let (paths, refused) = try list.rest()
                sections.append(FileSection(paths.map { FileSection.Folder(file: $0, labelled: labelled) }))
                unreadable += refused
                continue
            }
            let path = try FileAddress.path(RawPath(source))
            guard try Self.isFolder(path) else {
                sections.append(try Self.open(file: path, labelled: labelled))
                continue
            }
            let prefix = folderNameInIDs ? path.folderName.map { $0 + "/" } : nil
            let scan = try FolderScan(path, idPrefix: prefix ?? "", labelled: labelled)
            guard !scan.folders.isEmpty || !scan.idxFiles.isEmpty else {
                throw scan.unreadable.first ?? DatasetError(path: source, reason: .noImages)
            }
            unreadable += scan.unreadable
            sections.append(FileSection(scan.folders))
            for file in scan.idxFiles { sections.append(try IDXSection(file, labelled: labelled)) }
        }
        self.sections = sections
        self.unreadable = unreadable
        starts = sections.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    }

    /// How many images there are.
    public var count: Int { starts[starts.count - 1] }

    /// The name of an image, without reading it.
    public func id(at index: Int) -> String {
        let (section, offset) = place(index)
        return section.id(at: offset)
    }

    /// The label of an image, without reading the image.
    public func label(at index: Int) throws(DatasetError) -> Label? {
        let (section, offset) = place(index)
        return try section.label(at: offset)
    }

    /// Reads an image.
    ///
    /// - Throws: `DatasetError` where it cannot be read, for instance because it has been deleted since.
    public func entry(at index: Int) throws(DatasetError) -> ImageEntry {
        let (section, offset) = place(index)
        return try section.entry(at: offset)
    }

    private func place(_ index: Int) -> (any ImageSection, Int) {
        precondition((0..<count).contains(index), "image \(index) of \(count)")
        let section = starts.lastStart(notAfter: index)
        return (sections[section], index - starts[section])
    }

    private static func isFolder(_ path: RawPath) throws(DatasetError) -> Bool {
        var status = stat()
        guard path.withCString({ stat($0, &status) }) == 0 else { throw DatasetError(path: path, errorNumber: errno) }
        return status.st_mode & S_IFMT == S_IFDIR
    }

    /// A file that was named: what it is, its name tells, or else its first bytes.
    private static func open(file path: RawPath, labelled: Bool) throws(DatasetError) -> any ImageSection {
        var kind = ImageFormats.kind(name: path)
        // Opened in any case, so that a file that may not be read is found now.
        let start = try InputFile(path).read(at: 0, count: ImageFormats.signatureLength)
        if kind == .unknown { kind = ImageFormats.kind(firstBytes: start) }
        switch kind {
        case .image: return FileSection([FileSection.Folder(file: path, labelled: labelled)])
        case .idx: return try IDXSection(path, labelled: labelled)
        case .unknown: throw DatasetError(path: path.description, reason: .unknownFormat)
        }
    }
}
