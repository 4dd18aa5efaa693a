// How pictures are cut into tiles of 4x4 or 3x3 output pixels, and where transformed tiles lie in memory: as [positions,
// panels, rows, channels of a panel], see winograd.h.

import CKernels

/// A size of tiles, F(m x m, 3x3) in the papers' words.
enum WinogradForm: Int, CaseIterable {
    /// m = 4: 36 multiplications for 16 results.
    case four = 4
    /// m = 3: 25 for 9.
    case three = 3

    /// Values of a transformed tile and channel.
    var positions: Int { (rawValue + 2) * (rawValue + 2) }

    /// Tiles that cover a picture.
    func tiles(height: Int, width: Int) -> (rows: Int, columns: Int) {
        ((height + rawValue - 1) / rawValue, (width + rawValue - 1) / rawValue)
    }

    /// Floats of all positions' matrices.
    func size(rows: Int, channels: Int) -> Int { positions * Self.distance(rows: rows, channels: channels) }

    /// Floats from one position's values to the next one's: an odd number of cache lines. With powers of two all positions
    /// of a tile would fall into the same few sets of the caches; transforms were up to three times slower.
    static func distance(rows: Int, channels: Int) -> Int { (rows * channels + 15) / 16 * 16 | 16 }

    /// The form with the fewest multiplications.
    static func best(height: Int, width: Int) -> WinogradForm {
        func cost(_ form: WinogradForm) -> Int {
            let tiles = form.tiles(height: height, width: width)
            return tiles.rows * tiles.columns * form.positions
        }
        return cost(.three) < cost(.four) ? .three : .four
    }
}

/// The tiles of a convolution's pictures.
struct WinogradTiling {
    let form: WinogradForm
    let tiling: ck_tiling
    /// Tiles of all pictures.
    let count: Int
    private let batch: Int

    init(_ problem: ConvolutionProblem) {
        let window = problem.window
        form = .best(height: window.height, width: window.width)
        let (rows, columns) = form.tiles(height: window.height, width: window.width)
        batch = problem.batch
        count = batch * rows * columns
        tiling = ck_tiling(
            batch: batch, height: window.height, width: window.width, tile: form.rawValue, tile_rows: rows,
            tile_columns: columns)
    }

    /// Multiplications a pair of channels.
    var multiplications: Int { count * form.positions }

    /// Tiles `first` ..< `first + count` as a part of `rows` rows.
    static func tiles(_ first: Int, _ count: Int, of rows: Int, _ channels: Int) -> ck_tiles {
        ck_tiles(
            first: first, count: count, rows: rows, distance: WinogradForm.distance(rows: rows, channels: channels))
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
