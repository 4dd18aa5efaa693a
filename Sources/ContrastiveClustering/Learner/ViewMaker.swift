// Pictures to the network's input, one task a picture and view on all threads.

import Imaging
import Tensors

/// The mini-batch of a step, and what its views are drawn from.
struct ViewSource: Sendable, Equatable {
    /// The pictures, N of them.
    var images: [RGBImage]
    /// What everything random follows from.
    var seed: UInt64
    /// The number of the training step.
    var step: UInt64

    /// Both views of each picture.
    var taskCount: Int { 2 * images.count }
}

/// Makes the views of a mini-batch, with the scratch memory that this takes.
struct ViewMaker {
    private let recipe: ViewRecipe
    /// One for each thread.
    private let renderers: [ViewRenderer]

    init(_ recipe: ViewRecipe, threads: Int) {
        self.recipe = recipe
        renderers = (0..<threads).map { _ in ViewRenderer(side: recipe.side) }
    }

    /// Fills both views [N, S, S, 3].
    func makeTrainingViews(_ x: [Tensor], of source: ViewSource, _ pool: ThreadPool) {
        pool.run(source.taskCount) { task, thread in recipe.make(task, of: source, x, renderers[thread]) }
    }

    /// Takes part in `views` on all threads, and returns when all of them are made.
    func finish(_ views: ViewsUnderWay, _ pool: ThreadPool) {
        pool.run(pool.threadCount) { _, thread in views.make(with: renderers[thread]) }
    }

    /// Fills x [N, S, S, 3] with the images, resized without cropping.
    func makePlainViews(_ x: Tensor, of images: ArraySlice<RGBImage>, _ pool: ThreadPool) {
        let side = recipe.side
        pool.run(images.count) { task, thread in
            renderers[thread].renderResized(
                images[images.startIndex + task], into: x.data + task * side * side * 3)
        }
    }
}

/// How views are made of pictures.
struct ViewRecipe: Sendable {
    /// Pixels of a view's side.
    let side: Int
    private let views: Views
    private let augmentation: Augmentation

    init(side: Int, settings: TrainingSettings) {
        self.side = side
        views = settings.views
        augmentation = Augmentation(side: side, jitter: settings.jitter, blurs: settings.blur)
    }

    /// Makes one view of one picture in its place of x, two views [N, S, S, 3]; which thread does so does not matter.
    ///
    /// - Parameter task: twice the picture's index, plus the view's.
    func make(_ task: Int, of source: ViewSource, _ x: [Tensor], _ renderer: ViewRenderer) {
        let (index, view) = (task / 2, task % 2)
        let image = source.images[index], place = x[view].data + index * side * side * 3
        if isAugmented(view) {
            let parameters = augmentation.parameters(
                for: image, seed: source.seed, step: source.step, index: index, view: view)
            renderer.render(image, parameters, into: place)
        } else {
            renderer.renderResized(image, into: place)
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
