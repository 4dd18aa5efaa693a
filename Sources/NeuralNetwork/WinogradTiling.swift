// How pictures are cut into tiles of 4x4 output pixels, and where transformed tiles lie in memory: as [36 positions, panels,
// rows, channels of a panel], see winograd.h.

import CKernels

/// The tiles of a convolution's pictures.
struct WinogradTiling {
    /// Values of a transformed tile and channel.
    static let positions = Int(CK_POSITIONS)

    let tiling: ck_tiling
    /// Tiles of all pictures.
    let count: Int
    private let batch: Int

    init(_ problem: ConvolutionProblem) {
        let window = problem.window
        let (rows, columns) = ((window.height + 3) / 4, (window.width + 3) / 4)
        batch = problem.batch
        count = batch * rows * columns
        tiling = ck_tiling(
            batch: batch, height: window.height, width: window.width, tile_rows: rows, tile_columns: columns)
    }

    /// Floats from one position's values to the next one's: an odd number of cache lines. With powers of two all positions
    /// of a tile would fall into the same few sets of the caches; transforms were up to three times slower.
    static func distance(rows: Int, channels: Int) -> Int { (rows * channels + 15) / 16 * 16 | 16 }

    /// Floats of all positions.
    static func size(rows: Int, channels: Int) -> Int { positions * distance(rows: rows, channels: channels) }

    /// Tiles `first` ..< `first + count` as a part of `rows` rows.
    static func tiles(_ first: Int, _ count: Int, of rows: Int, _ channels: Int) -> ck_tiles {
        ck_tiles(first: first, count: count, rows: rows, distance: distance(rows: rows, channels: channels))
    }

    /// to = the transformed tiles of `input`.
    func transform(
        _ to: UnsafeMutablePointer<Float>, _ input: ConvolutionInput, channels: Int, _ tiles: ck_tiles,
        _ compute: Compute
    ) {
        var (tiling, tiles) = (tiling, tiles)
        guard let normalization = input.normalization else {
            compute.winograd.input(to, input.x.data, &tiling, channels, &tiles, nil)
            return
        }
        var affine = ck_affine(normalization, pictures: batch / normalization.groups)
        compute.winograd.input(to, input.x.data, &tiling, channels, &tiles, &affine)
    }

    /// How a phase over up to `rows` tiles that all threads share is divided.
    func chunks(of rows: Int, _ compute: Compute) -> WinogradChunks {
        let size = min(6, max(1, rows / (2 * compute.pool.threadCount)))
        return WinogradChunks(size: size, count: (rows + size - 1) / size)
    }
}

/// Tiles that a thread transforms at a time.
struct WinogradChunks {
    let size: Int
    /// Chunks of a whole block.
    let count: Int

    /// Calls `body` with each chunk's number, first row and rows, on all threads.
    func forEach(of rows: Int, _ compute: Compute, _ body: (_ chunk: Int, _ at: Int, _ count: Int) -> Void) {
        compute.pool.run((rows + size - 1) / size) { chunk, _ in
            body(chunk, chunk * size, min(size, rows - chunk * size))
        }
    }
}
