// What a convolution by Winograd's way does besides: what becomes of its input on the way in, and of its result on the way out.

import CKernels
import Tensors

/// A convolution's input: x itself, or max(0, x normalised), made on the way.
struct ConvolutionInput {
    let x: Tensor
    var normalization: Normalization?
}

/// What becomes of a convolution's result v on its way to memory.
enum ConvolutionEnding {
    case store
    /// Added to what is there.
    case add
    /// Stored with a bias, a residual and a ReLU.
    case finish(ConvolutionFinish)
    /// Stored, and v − origin and its square are summed a channel and group.
    case sum(origin: UnsafePointer<Float>, groups: Int)
    /// Set to 0 where max(0, x normalised) is 0, and v and v · (x − mean) are summed a channel and group.
    case maskAndSum(x: Tensor, normalization: Normalization)
    /// Added to what is there, then set to 0 where `rectified` is, and summed in the same way: `rectified` is
    /// max(0, x normalised + a shortcut).
    case addMaskAndSum(rectified: Tensor, x: Tensor, normalization: Normalization)

    var groups: Int {
        switch self {
        case .store, .add, .finish: 0
        case .sum(_, let groups): groups
        case .maskAndSum(_, let normalization), .addMaskAndSum(_, _, let normalization): normalization.groups
        }
    }
}

extension ConvolutionEnding {
    /// Calls `body` with the description that the loops in C take.
    func withEpilogue(sums: UnsafeMutablePointer<Float>, batch: Int, _ body: (inout ck_epilogue) -> Void) {
        var epilogue = ck_epilogue()
        epilogue.sums = sums
        epilogue.pictures = batch / max(1, groups)
        switch self {
        case .store: body(&epilogue)
        case .add:
            epilogue.adds = true
            body(&epilogue)
        case .finish(let finish):
            withUnsafePointer(to: finish.description) { description in
                epilogue.finish = description
                body(&epilogue)
            }
        case .sum(let origin, _):
            epilogue.origin = origin
            body(&epilogue)
        case .maskAndSum(let x, let normalization):
            epilogue.withMask(x, normalization, body)
        case .addMaskAndSum(let rectified, let x, let normalization):
            epilogue.adds = true
            epilogue.rectified = UnsafePointer(rectified.data)
            epilogue.withMask(x, normalization, body)
        }
    }
}

extension ck_epilogue {
    fileprivate mutating func withMask(
        _ x: Tensor, _ normalization: Normalization, _ body: (inout ck_epilogue) -> Void
    ) {
        self.x = UnsafePointer(x.data)
        mean = UnsafePointer(normalization.mean(0))
        withUnsafePointer(to: ck_affine(normalization, pictures: pictures)) {
            affine = $0
            body(&self)
        }
    }
}

/// The sums that an ending makes: each task has its own, added up in the end in the order of the tasks.
struct EndingSums {
    private let partial: UnsafeMutablePointer<Float>
    private let tasks, size: Int

    init(_ ending: ConvolutionEnding, channels: Int, tasks: Int, _ compute: Compute) {
        self.tasks = tasks
        size = ending.groups * 2 * channels
        partial = compute.reserveShared(.partialSums, tasks * size)
        partial.update(repeating: 0, count: tasks * size)
    }

    /// The sums of a task, [groups, 2, channels].
    subscript(task: Int) -> UnsafeMutablePointer<Float> { partial + task * size }

    /// The sums of all tasks, [groups, 2, channels], valid until the next ones; nil where the ending sums nothing.
    func total(_ compute: Compute) -> UnsafePointer<Double>? {
        size > 0 ? compute.total(partial, tasks: tasks, size: size) : nil
    }
}

extension ck_affine {
    /// A normalisation's scales and shifts, each for `pictures` pictures.
    init(_ normalization: Normalization, pictures: Int) {
        self.init(
            scale: normalization.scale(0), shift: normalization.shift(0), pictures: pictures,
            stride: normalization.stride)
    }
}
