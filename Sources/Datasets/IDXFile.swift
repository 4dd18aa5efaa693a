// IDX, the format of MNIST and its successors (http://yann.lecun.com/exdb/mnist): a magic number, the extents, the bytes.
//
// A plain file is read in place. A gzip file cannot be, and is unpacked into memory when it is opened: 47 MB for the 60,000
// images of Fashion-MNIST, and refused beyond a limit.

/// An IDX file of unsigned bytes; thread-safe.
struct IDXFile: Sendable {
    /// The most that is unpacked into memory.
    static let largestUnpacked = 2 << 30

    private enum Contents: Sendable {
        case unpacked([UInt8])
        case inPlace(InputFile, offset: Int)
    }

    let path: RawPath
    /// The extents, the last varying fastest.
    let shape: [Int]
    private let contents: Contents

    /// Opens a file, compressed or not.
    ///
    /// - Parameter dimensions: how many extents it may have.
    init(_ path: RawPath, dimensions: ClosedRange<Int>) throws(DatasetError) {
        self.path = path
        let file = try InputFile(path)
        if try file.read(at: 0, count: GzipFile.signature.count) == GzipFile.signature {
            var gzip = try GzipFile(file)
            let rank = try Self.rank(magic: try gzip.read(count: 4), of: path, allowed: dimensions)
            shape = try Self.shape(try gzip.read(count: 4 * rank), of: path, rank: rank)
            contents = .unpacked(try Self.unpack(&gzip, shape: shape, of: file))
        } else {
            let rank = try Self.rank(magic: try file.read(at: 0, count: 4), of: path, allowed: dimensions)
            let offset = 4 + 4 * rank
            shape = try Self.shape(try file.read(at: 4, count: 4 * rank), of: path, rank: rank)
            guard file.size - offset >= Self.size(shape) else {
                throw DatasetError(path: path.description, reason: .truncated(expected: Self.size(shape)))
            }
            contents = .inPlace(file, offset: offset)
        }
    }

    /// Bytes from `offset` of those that follow the header; all must be within `shape`.
    func read(at offset: Int, count: Int) throws(DatasetError) -> [UInt8] {
        switch contents {
        case .unpacked(let bytes): return Array(bytes[offset..<offset + count])
        case .inPlace(let file, let start):
            let bytes = try file.read(at: start + offset, count: count)
            // The file was long enough when it was opened.
            guard bytes.count == count else {
                throw DatasetError(path: path.description, reason: .truncated(expected: offset + count))
            }
            return bytes
        }
    }

    /// How many extents follow the magic number: two zero bytes, the element type, the number of dimensions.
    private static func rank(
        magic: [UInt8], of path: RawPath, allowed: ClosedRange<Int>
    ) throws(DatasetError) -> Int {
        let problem: String
        if magic.count < 4 || magic[0] != 0 || magic[1] != 0 {
            problem = "it does not begin with an IDX magic number"
        } else if magic[2] != 0x08 {
            problem = "its elements are of type \(magic[2]), not unsigned bytes (8)"
        } else if !allowed.contains(Int(magic[3])) {
            problem =
                "it has \(magic[3]) dimensions where \(allowed.lowerBound == 1 ? "labels have 1" : "images have 3 or 4")"
        } else {
            return Int(magic[3])
        }
        throw DatasetError(path: path.description, reason: .notIDX(problem))
    }

    /// The extents, 32-bit big-endian; the bytes of all items, and of a single one where there are none, fit an Int.
    private static func shape(_ header: [UInt8], of path: RawPath, rank: Int) throws(DatasetError) -> [Int] {
        guard header.count == 4 * rank else {
            throw DatasetError(path: path.description, reason: .notIDX("its header is cut off"))
        }
        let shape = (0..<rank).map { axis in header[4 * axis..<4 * axis + 4].reduce(0) { $0 << 8 | Int($1) } }
        var size = 1
        // No item at all hides no absurd size of one.
        for extent in shape {
            let (product, overflow) = size.multipliedReportingOverflow(by: max(1, extent))
            guard !overflow else {
                throw DatasetError(path: path.description, reason: .notIDX("its extents \(shape) are absurd"))
            }
            size = product
        }
        return shape
    }

    private static func unpack(
        _ gzip: inout GzipFile, shape: [Int], of file: InputFile
    ) throws(DatasetError) -> [UInt8] {
        let path = file.path.description
        let size = size(shape)
        guard size <= largestUnpacked else {
            throw DatasetError(path: path, reason: .tooLarge(bytes: size, limit: largestUnpacked))
        }
        // A header that announces more than the file can hold is told before memory is taken.
        let isPossible = size / GzipFile.highestRatio <= file.size
        let bytes = isPossible ? try gzip.read(count: size) : []
        guard bytes.count == size else { throw DatasetError(path: path, reason: .truncated(expected: size)) }
        try gzip.checkEnd()
        return bytes
    }

    private static func size(_ shape: [Int]) -> Int { shape.reduce(1, *) }
}
