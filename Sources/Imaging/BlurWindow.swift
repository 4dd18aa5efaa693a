// A blur of rows that come one at a time: each is blurred along x and kept until the rows around it have come too.

import CKernels

/// The last rows of a picture that is being blurred, as many as its kernel reaches over.
struct BlurWindow: ~Copyable {
    private var weights: [Float] = [1]
    private var width = 0
    private var height = 0
    /// Rows that have come, and rows that have been passed on.
    private var added = 0
    private var done = 0

    /// [kept rows, 3, stride], row y in place y modulo their number.
    private var lines = Workspace<Float>()
    /// One channel of a row with mirrored borders, [stride + 2 radius], and then a finished line, [3, stride].
    private var scratch = Workspace<Float>()
    private var inputs = Workspace<UnsafePointer<Float>?>()

    /// Begins a picture of `width` x `height` pixels.
    ///
    /// - Parameter weights: the kernel's, from the middle outwards.
    mutating func begin(weights: [Float], width: Int, height: Int) {
        self.weights = weights
        self.width = width
        self.height = height
        (added, done) = (0, 0)
    }

    /// Takes the next row, a line, and passes on those that can be finished now.
    mutating func add(
        _ line: UnsafePointer<Float>, _ kernels: ck_imaging,
        finish: (_ y: Int, _ line: UnsafePointer<Float>) -> Void
    ) {
        let radius = weights.count - 1, stride = lineStride(width), kept = min(height, 2 * radius + 1)
        let lines = lines.room(for: kept * 3 * stride)
        let scratch = scratch.room(for: stride + 2 * radius + 3 * stride), finished = scratch + stride + 2 * radius
        let inputs = inputs.room(for: 2 * radius + 1)

        let place = lines + added % kept * 3 * stride
        for tap in 0...2 * radius { inputs[tap] = UnsafePointer(scratch + tap) }
        for channel in 0..<3 {
            let row = line + channel * stride, middle = scratch + radius
            middle.update(from: row, count: stride)
            for step in 1...radius {
                middle[-step] = row[ck_reflect(-step, width)]
                middle[width - 1 + step] = row[ck_reflect(width - 1 + step, width)]
            }
            kernels.filter(place + channel * stride, inputs, stride, radius, weights)
        }
        added += 1

        while done < height, added == height || added > done + radius {
            for tap in 0...2 * radius {
                inputs[tap] = UnsafePointer(lines + ck_reflect(done + tap - radius, height) % kept * 3 * stride)
            }
            kernels.filter(finished, inputs, 3 * stride, radius, weights)
            finish(done, finished)
            done += 1
        }
    }
}
