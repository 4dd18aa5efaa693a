// Images of a collection as the learner takes them: read and decoded on all threads, a bounded number at a time, and where
// it is known which come next, beside a training step.

import Datasets
import Imaging
import StreamProtocol
import Synchronization
import Tensors

/// Reads and decodes images of a collection.
package final class ImageBatches {
    /// An image that is left out, and why.
    package struct Failure: Sendable, CustomStringConvertible {
        /// The image's name.
        package let id: String
        /// Why it cannot be used.
        package let reason: String

        /// One line for a log.
        package var description: String { reason.hasPrefix(id) ? reason : "\(id): \(reason)" }
    }

    /// The images that were asked for, in that order, but for those that cannot be read or decoded.
    package struct Loaded {
        /// The images, and where they are in the collection.
        package var images: [(index: Int, image: RGBImage)] = []
        /// What is missing among them.
        package var failures: [Failure] = []
    }

    /// Where the images come from.
    package var collection: ImageCollection { source.collection }
    private let source: ImageSource
    private let pool: ThreadPool
    private var underWay: Loading?

    /// Creates a reader for a model that sees pictures of `imageSize` pixels a side.
    package init(
        _ collection: ImageCollection, imageSize: Int, threads: Int, decoder: ImageDecoder = ImageDecoder()
    ) {
        // One thread at least beside the one that waits; of lower priority than those of a training step.
        pool = ThreadPool(threads: max(2, threads > 0 ? threads : ThreadPool.processorCount), niceness: 5)
        // Twice the size, so that the resampling still has something to filter.
        source = ImageSource(collection: collection, decoder: decoder, shorterSide: 2 * imageSize)
    }

    deinit { if underWay != nil { pool.finish() } }

    /// Loads the images at `indices`.
    package func load(_ indices: some RandomAccessCollection<Int>) -> Loaded {
        begin(indices)
        return finish()
    }

    /// Begins to load the images at `indices`, and returns at once. `finish` must follow before anything else is loaded.
    package func begin(_ indices: some RandomAccessCollection<Int>) {
        guard !indices.isEmpty else { return }
        let source = source, loading = Loading(Array(indices))
        underWay = loading
        pool.begin(indices.count) { task, _ in
            let result = source.image(at: loading.indices[task])
            loading.results.withLock { $0[task] = result }
        }
    }

    /// Waits for what was begun last; nothing where that was taken already.
    package func finish() -> Loaded {
        guard let loading = underWay else { return Loaded() }
        pool.finish()
        underWay = nil
        var loaded = Loaded()
        for (index, result) in zip(loading.indices, loading.results.withLock { $0 }) {
            switch result! {
            case .success(let image): loaded.images.append((index, image))
            case .failure(let failure): loaded.failures.append(failure)
            }
        }
        return loaded
    }
}

/// Images that are being loaded.
private final class Loading: Sendable {
    let indices: [Int]
    let results: Mutex<[Result<RGBImage, ImageBatches.Failure>?]>

    init(_ indices: [Int]) {
        self.indices = indices
        results = Mutex(Array(repeating: nil, count: indices.count))
    }
}

/// Reads and decodes one image.
private struct ImageSource: Sendable {
    let collection: ImageCollection
    let decoder: ImageDecoder
    let shorterSide: Int

    func image(at index: Int) -> Result<RGBImage, ImageBatches.Failure> {
        do {
            let entry = try collection.entry(at: index)
            switch entry.encoding {
            case .file:
                return .success(try decoder.decode(entry.payload, shorterSide: shorterSide))
            case .raw(let height, let width, let channels, let color):
                return .success(
                    try decoder.raw(
                        entry.payload, height: height, width: width, channels: channels,
                        order: ImageDecoder.ChannelOrder(color)))
            }
        } catch {
            return .failure(ImageBatches.Failure(id: collection.id(at: index), reason: "\(error)"))
        }
    }
}

extension ImageBatches.Failure: Error {}

extension ImageDecoder.ChannelOrder {
    /// The decoder's word for an order of the stream.
    fileprivate init(_ color: ColorOrder) {
        self =
            switch color {
            case .rgb: .rgb
            case .bgr: .bgr
            case .gray: .gray
            }
    }
}
