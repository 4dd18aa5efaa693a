// Which files are images, and which are IDX files: by name in a folder, by their first bytes where a name says nothing.

/// What a file is taken for.
enum FileKind: Equatable {
    case image
    case idx
    case unknown
}

enum ImageFormats {
    /// Extensions of the formats that can be decoded.
    static let extensions = [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp"]

    /// The extensions for a message.
    static let extensionList = extensions.joined(separator: " ")

    /// How many bytes of a file `kind(firstBytes:)` looks at.
    static let signatureLength = 12

    /// What a file's name promises; the label file of an IDX pair is nothing to read on its own.
    static func kind(name: RawPath) -> FileKind {
        if extensions.contains(where: name.hasSuffix) { return .image }
        let dimensions = ["idx3-ubyte", "idx3-ubyte.gz", "idx4-ubyte", "idx4-ubyte.gz"]
        return dimensions.contains(where: name.hasSuffix) ? .idx : .unknown
    }

    /// What a file's first bytes promise: the signatures of JPEG, PNG and WebP; zeros of an IDX magic number; gzip.
    static func kind(firstBytes bytes: [UInt8]) -> FileKind {
        let isImage =
            bytes.starts(with: [0xFF, 0xD8, 0xFF]) || bytes.starts(with: [0x89, 0x50, 0x4E, 0x47])
            || (bytes.starts(with: Array("RIFF".utf8)) && bytes.dropFirst(8).starts(with: Array("WEBP".utf8)))
        if isImage { return .image }
        return bytes.starts(with: [0, 0, 8]) || bytes.starts(with: GzipFile.signature) ? .idx : .unknown
    }
}
