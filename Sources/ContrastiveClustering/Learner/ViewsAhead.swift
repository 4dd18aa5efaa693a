// The views of the next mini-batch, made on a thread of their own while a training step is under way.
//
// The thread has a lower priority than the step's: it uses a core that has nothing to do, and the moments in which the
// step's threads wait for each other. What it has not got to when the next step begins, the step's threads make.

import Imaging
import Synchronization
import Tensors

/// Makes views ahead of the step that needs them.
final class ViewsAhead {
    /// Where the views are; the learner exchanges them for those that the last pass has read.
    var pictures: ViewPictures
    private let recipe: ViewRecipe
    /// A single thread, and at the end the one that waits for it.
    private let pool: ThreadPool
    private let renderer: ViewRenderer
    private var underWay: ViewsUnderWay?

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - batch: the pictures that a view has at most.
    ///   - niceness: the scheduling priority of the step's threads.
    init(_ recipe: ViewRecipe, batch: Int, niceness: Int) {
        self.recipe = recipe
        pictures = ViewPictures(batch: batch, side: recipe.side)
        pool = ThreadPool(threads: 2, niceness: min(niceness + 5, 19))
        renderer = ViewRenderer(side: recipe.side)
    }

    deinit { abandon() }

    /// Begins to make the views of `source`, at most `pictures.batch` of them, and returns at once.
    func begin(_ source: ViewSource) {
        abandon()
        let views = ViewsUnderWay(recipe, source, pictures, renderer)
        underWay = views
        pool.begin(1) { _, _ in views.makeInBackground() }
    }

    /// Whether `pictures` hold the views of `source` and of nothing else; makes those that are still missing.
    func finish(_ source: ViewSource, with maker: ViewMaker, on pool: ThreadPool) -> Bool {
        guard let underWay, underWay.source == source else {
            abandon()
            return false
        }
        maker.finish(underWay, pool)
        self.pool.finish()
        self.underWay = nil
        return true
    }

    /// Leaves what was begun; returns when nothing is written any more.
    private func abandon() {
        guard let underWay else { return }
        underWay.cancel()
        pool.finish()
        self.underWay = nil
    }
}

/// Views that several threads make, each taking the next one that nobody has taken.
final class ViewsUnderWay: @unchecked Sendable {
    // Unchecked: each view is written by whoever took its number, and the renderer used by the background thread alone.
    let source: ViewSource
    private let recipe: ViewRecipe
    private let pictures: ViewPictures
    private let views: [Tensor]
    private let renderer: ViewRenderer
    private let taken = Atomic<Int>(0)

    init(_ recipe: ViewRecipe, _ source: ViewSource, _ pictures: ViewPictures, _ renderer: ViewRenderer) {
        precondition(source.images.count <= pictures.batch)
        self.source = source
        self.recipe = recipe
        self.pictures = pictures
        self.renderer = renderer
        views = pictures.views(count: source.images.count)
    }

    /// Makes views until none is left to take.
    func make(with renderer: ViewRenderer) {
        while true {
            let task = taken.add(1, ordering: .relaxed).oldValue
            guard task < source.taskCount else { return }
            recipe.make(task, of: source, views, renderer)
        }
    }

    /// `make` on the background thread.
    func makeInBackground() { make(with: renderer) }

    /// Leaves no view to take.
    func cancel() { taken.store(source.taskCount, ordering: .relaxed) }
}
