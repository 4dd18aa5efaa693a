// The input of a training pass, with memory of its own: so the next mini-batch's can be made while a pass reads this one's,
// and the two then change places without a copy.

import Tensors

/// The pictures of both views of a mini-batch.
package final class ViewPictures {
    /// The pictures that a view has at most.
    package let batch: Int
    /// [2 batch, S, S, 3], floats in 0 ... 1; those of the first view before those of the second, see `views(count:)`.
    package let both: Tensor
    private let arena: Arena

    /// Allocates pictures of `side` x `side` pixels.
    package init(batch: Int, side: Int) {
        self.batch = batch
        arena = Arena(count: 2 * batch * side * side * 3)
        both = Tensor(arena.base, [2 * batch, side, side, 3])
    }

    /// Each view's pictures, [count, S, S, 3], where there are `count` a view.
    package func views(count: Int) -> [Tensor] { (0..<2).map { both.prefix(2 * count).part($0, of: 2) } }
}
