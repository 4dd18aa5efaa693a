// How pictures are cut into tiles of 4 or 3 output pixels a side, and where transformed tiles lie in memory: as [positions,
// panels, rows, channels of a panel], see winograd.h.

import CKernels

/// How transformed values lie in memory.
enum WinogradLayout {
    /// Floats of the matrices of so many positions.
    static func size(positions: Int, rows: Int, channels: Int) -> Int {
        positions * distance(rows: rows, channels: channels)
    }

    /// Floats from one position's values to the next one's: an odd number of cache lines. With powers of two all positions
    /// of a tile would fall into the same few sets of the caches; transforms were up to three times slower.
    static func distance(rows: Int, channels: Int) -> Int { (rows * channels + 15) / 16 * 16 | 16 }
}

/// Tiles along a side of a picture: of 4 pixels, each with 6 points, then of 3 with 5.
struct WinogradSide {
    let fours, threes: Int

    /// The tiles with the fewest points that cover `pixels`.
    init(covering pixels: Int) {
        let choices = (0...(pixels + 3) / 4).map { fours in
            (fours: fours, threes: (max(0, pixels - 4 * fours) + 2) / 3)
        }
        (fours, threes) = choices.min { 6 * $0.fours + 5 * $0.threes < 6 * $1.fours + 5 * $1.threes }!
    }

    var tiles: Int { fours + threes }
    var points: Int { 6 * fours + 5 * threes }
}

/// The tiles of a convolution's pictures.
struct WinogradTiling {
    let tiling: ck_tiling
    /// Tiles of all pictures.
    let count: Int
    /// Values of a transformed tile and channel, of the largest tiles.
    let positions: Int
    /// Multiplications a pair of channels.
    let multiplications: Int
    private let batch: Int
    /// The tiles that have the sixth point vertically and horizontally.
    private let tall, wide: Range<Int>

    init(_ problem: ConvolutionProblem) {
        let window = problem.window
        let vertical = WinogradSide(covering: window.height), horizontal = WinogradSide(covering: window.width)
        batch = problem.batch
        count = batch * vertical.tiles * horizontal.tiles
        multiplications = batch * vertical.points * horizontal.points
        positions = vertical.fours + horizontal.fours > 0 ? CK_POSITIONS_TALL_WIDE : CK_POSITIONS_LOW_NARROW
        tall = 0..<batch * vertical.fours * horizontal.tiles
        let narrowAndTall = batch * vertical.fours * horizontal.threes
        wide = narrowAndTall..<narrowAndTall + batch * vertical.tiles * horizontal.fours
        tiling = ck_tiling(
            batch: batch, height: window.height, width: window.width, tall: vertical.fours, low: vertical.threes,
            wide: horizontal.fours, narrow: horizontal.threes)
    }

    /// Those of the tiles in `block` that have a position, counted from the block's first.
    func rows(of position: Int, in block: Range<Int>) -> Range<Int> {
        let tiles =
            switch position {
            case ..<CK_POSITION_TALL: block
            case ..<CK_POSITION_TALL_WIDE: block.clamped(to: tall)
            case ..<CK_POSITION_WIDE: block.clamped(to: tall).clamped(to: wide)
            default: block.clamped(to: wide)
            }
        return tiles.lowerBound - block.lowerBound..<tiles.upperBound - block.lowerBound
    }

    /// Floats of all positions' matrices.
    func size(rows: Int, channels: Int) -> Int {
        WinogradLayout.size(positions: positions, rows: rows, channels: channels)
    }

    /// Tiles `first` ..< `first + count` as a part of `rows` rows.
    static func tiles(_ first: Int, _ count: Int, of rows: Int, _ channels: Int) -> ck_tiles {
        ck_tiles(
            first: first, count: count, rows: rows, distance: WinogradLayout.distance(rows: rows, channels: channels))
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
