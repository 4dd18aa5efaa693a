// Images of a collection as the learner takes them: read and decoded on all threads, a bounded number at a time.

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

    /// Where the images come from.
    package let collection: ImageCollection
    private let decoder: ImageDecoder
    private let pool: ThreadPool
    private let shorterSide: Int

    /// Creates a reader for a model that sees pictures of `imageSize` pixels a side.
    package init(
        _ collection: ImageCollection, imageSize: Int, threads: Int, decoder: ImageDecoder = ImageDecoder()
    ) {
        self.collection = collection
        self.decoder = decoder
        pool = ThreadPool(threads: threads > 0 ? threads : ThreadPool.processorCount)
        // Twice the size, so that the resampling still has something to filter.
        shorterSide = 2 * imageSize
    }

    /// The images at `indices`, in their order; those that cannot be read or decoded are left out.
    package func load(_ indices: some RandomAccessCollection<Int>) -> (
        images: [(index: Int, image: RGBImage)], failures: [Failure]
    ) {
        let indices = Array(indices)
        let results = Mutex([Result<RGBImage, Failure>?](repeating: nil, count: indices.count))
        pool.run(indices.count) { task, _ in
            let result = image(at: indices[task])
            results.withLock { $0[task] = result }
        }
        var images: [(index: Int, image: RGBImage)] = []
        var failures: [Failure] = []
        for (index, result) in zip(indices, results.withLock { $0 }) {
            switch result! {
            case .success(let image): images.append((index, image))
            case .failure(let failure): failures.append(failure)
            }
        }
        return (images, failures)
    }

    private func image(at index: Int) -> Result<RGBImage, Failure> {
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
            return .failure(Failure(id: collection.id(at: index), reason: "\(error)"))
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
