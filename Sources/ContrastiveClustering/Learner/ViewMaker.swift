// Pictures to the network's input, one task a picture and view on all threads.

import Imaging
import Tensors

/// Makes the views of a mini-batch, with the scratch memory that this takes.
struct ViewMaker {
    private let side: Int
    private let views: Views
    private let augmentation: Augmentation
    /// One for each thread.
    private let renderers: [ViewRenderer]

    init(side: Int, settings: TrainingSettings, threads: Int) {
        self.side = side
        views = settings.views
        augmentation = Augmentation(side: side, jitter: settings.jitter, blurs: settings.blur)
        renderers = (0..<threads).map { _ in ViewRenderer(side: side) }
    }

    /// Fills both views [N, S, S, 3] with what `seed` and `step` draw for each of the N images.
    func makeTrainingViews(_ x: [Tensor], of images: [RGBImage], seed: UInt64, step: UInt64, _ pool: ThreadPool) {
        pool.run(2 * images.count) { task, thread in
            let (index, view) = (task / 2, task % 2)
            let (image, renderer) = (images[index], renderers[thread])
            let place = x[view].data + index * side * side * 3
            if isAugmented(view) {
                let parameters = augmentation.parameters(for: image, seed: seed, step: step, index: index, view: view)
                renderer.render(image, parameters, into: place)
            } else {
                renderer.renderResized(image, into: place)
            }
        }
    }

    /// Fills x [N, S, S, 3] with the images, resized without cropping.
    func makePlainViews(_ x: Tensor, of images: ArraySlice<RGBImage>, _ pool: ThreadPool) {
        pool.run(images.count) { task, thread in
            renderers[thread].renderResized(
                images[images.startIndex + task], into: x.data + task * side * side * 3)
        }
    }

    private func isAugmented(_ view: Int) -> Bool {
        switch views {
        case .both: true
        case .one: view == 0
        case .none: false
        }
    }
}
